// <percolate/mm_cid_ops.h> includes this file a second time: the operations once more, under other
// names, for data of concurrency ids.
#if !defined(PERCOLATE_RSEQ_OPS_H) || defined(PERCOLATE_BY_MM_CID)
#ifndef PERCOLATE_RSEQ_OPS_H
#define PERCOLATE_RSEQ_OPS_H

/// Operations on per-CPU data as restartable sequences: each runs on CPU `cpu` from its first step
/// to its commit without another thread having run there, or has no effect.
///
/// All return 0 when committed, 1 when a compare left the sequence, and -1 when the sequence did
/// not commit: the thread was preempted, migrated, interrupted by a signal or single-stepped, runs
/// on another CPU, is not registered with the kernel, or the CPU's gate is closed. After -1 the
/// operation belongs to an operation vector; <percolate/percpu_ops.h> does both. Retrying instead
/// may never end, under a debugger for one.
///
/// Every sequence loads the CPU's gate, so vectors of the same process exclude it. Data they work
/// on may be written only by these operations and by vectors that name the same CPU.
///
/// The gates open when the process first runs a vector.
///
/// All may be called in signal handlers. None may be called in a `vfork` child, which shares its
/// parent's registration but is never aborted. They need glibc 2.35 or later, which registers every
/// thread.
///
/// The pseudocode above each operation is its contract. `leave r` ends with the result r, `commit`
/// marks the only store that takes effect, and "speculative" stores may be seen although the
/// sequence is aborted: they must go to memory that means nothing before the commit. Every sequence
/// starts with
///
///     1  leave -1 unless the CPU number of this thread is cpu
///     2  leave -1 unless gate[cpu] is open
///
/// The code of each step has its number in front of it.

#include <percolate/gates.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Where glibc keeps the thread's rseq area, from the thread pointer.
extern const ptrdiff_t __rseq_offset;

#ifdef __cplusplus
}
#endif

/// The gate of `cpu`. The sequence loads it only after it has compared `cpu` with the thread's own
/// number, so any number may be asked for.
static inline const struct percolate_gate *percolate_gate_of(int cpu) {
    return (const struct percolate_gate *)((uintptr_t)(percolate_gates + 2)
                                           + (uintptr_t)(intptr_t)cpu * sizeof(struct percolate_gate));
}

static inline const struct percolate_gate *percolate_gate_of_mm_cid(int mm_cid) {
    return (const struct percolate_gate *)((uintptr_t)(percolate_mm_cid_gates + 2)
                                           + (uintptr_t)(intptr_t)mm_cid * sizeof(struct percolate_gate));
}

#if defined(__x86_64__)
#include <percolate/rseq_ops_x86_64.h>
#elif defined(__aarch64__)
#include <percolate/rseq_ops_aarch64.h>
#else
#error "no restartable sequences for this architecture"
#endif

/// Compilers guess the size of assembly by its lines, most of which are directives here: they are
/// told that it is small.
#if defined(__clang__) || __GNUC__ >= 9
#define PERCOLATE_SECTION_ASM __asm__ __inline__ goto
#else
#define PERCOLATE_SECTION_ASM __asm__ goto
#endif

/// An entry for debuggers: the sequence that follows, at label 1, may be left to `label`.
#define PERCOLATE_SECTION_EXIT(label)                                                                                  \
    ".pushsection __rseq_exit_point_array, \"awR?\"\n"                                                                 \
    ".quad 1f, %l[" #label "]\n"                                                                                       \
    ".popsection\n"

/// Describes the sequence between labels 1 and 2 with its abort handler at label 4, arms it, and
/// takes steps 1 and 2. `exits` are the entries of the labels that it may be left to besides
/// `aborted`.
///
/// Nothing refers to the arrays for debuggers: "R" makes the linker keep them. All of this goes to
/// the group of the function that it is emitted for ("?"), so that a duplicate of an inline
/// function takes its descriptor with it when the linker drops it.
#define PERCOLATE_SECTION_START(exits)                                                                                 \
    ".pushsection __rseq_cs, \"aw?\"\n"                                                                                \
    ".balign 32\n"                                                                                                     \
    "3: .long 0, 0\n"                                                                                                  \
    ".quad 1f, 2f - 1f, 4f\n"                                                                                          \
    ".popsection\n"                                                                                                    \
    ".pushsection __rseq_cs_ptr_array, \"awR?\"\n"                                                                     \
    ".quad 3b\n"                                                                                                       \
    ".popsection\n" PERCOLATE_SECTION_EXIT(aborted) exits PERCOLATE_STEP_ARM                                           \
    "1:\n" /* 1 */ PERCOLATE_STEP_CHECK_INDEX /* 2 */ PERCOLATE_STEP_CHECK_GATE

/// The operands of steps 1 and 2.
#define PERCOLATE_SECTION_INPUTS                                                                                       \
    [area] "r"(percolate_section_area()), [cpu] "r"(cpu), [gate] PERCOLATE_WORD(PERCOLATE_GATE_OF_INDEX(cpu)->state)

#define PERCOLATE_SECTION_CLOBBERS "memory", "cc", PERCOLATE_STEP_CLOBBERS

/// What a sequence is indexed by.
#define PERCOLATE_STEP_CHECK_INDEX PERCOLATE_STEP_CHECK_CPU
#define PERCOLATE_GATE_OF_INDEX percolate_gate_of

/// The bodies of the operations that come in two forms: `commit` is a plain store or a
/// store-release.
#define PERCOLATE_TRYSTOREV_STOREV(commit)                                                                             \
    PERCOLATE_SECTION_ASM(PERCOLATE_SECTION_START(PERCOLATE_SECTION_EXIT(differs))                                     \
                 /* 3 */ PERCOLATE_STEP_COMPARE(v, expect)                                                             \
                 /* 4 */ PERCOLATE_STEP_STORE(newv2, v2)                                                               \
                 /* 5 */ commit(newv, v)                                                                               \
                 PERCOLATE_SECTION_END                                                                                 \
                 :                                                                                                     \
                 : PERCOLATE_SECTION_INPUTS, [v] PERCOLATE_WORD(*v), [expect] PERCOLATE_VALUE(expect),                 \
                   [v2] PERCOLATE_WORD(*v2), [newv2] PERCOLATE_VALUE(newv2), [newv] PERCOLATE_VALUE(newv)              \
                 : PERCOLATE_SECTION_CLOBBERS                                                                          \
                 : aborted, differs);                                                                                  \
    return 0;                                                                                                          \
aborted:                                                                                                               \
    return -1;                                                                                                         \
differs:                                                                                                               \
    return 1;

#define PERCOLATE_TRYMEMCPY_STOREV(commit)                                                                             \
    PERCOLATE_SECTION_ASM(PERCOLATE_SECTION_START(PERCOLATE_SECTION_EXIT(differs))                                     \
                 /* 3 */ PERCOLATE_STEP_COMPARE(v, expect)                                                             \
                 /* 4 */ PERCOLATE_STEP_COPY(dst, src, len)                                                            \
                 /* 5 */ commit(newv, v)                                                                               \
                 PERCOLATE_SECTION_END                                                                                 \
                 :                                                                                                     \
                 : PERCOLATE_SECTION_INPUTS, [v] PERCOLATE_WORD(*v), [expect] PERCOLATE_VALUE(expect), [dst] "r"(dst), \
                   [src] "r"(src), [len] "r"(len), [newv] PERCOLATE_VALUE(newv)                                        \
                 : PERCOLATE_SECTION_CLOBBERS PERCOLATE_STEP_COPY_CLOBBERS                                             \
                 : aborted, differs);                                                                                  \
    return 0;                                                                                                          \
aborted:                                                                                                               \
    return -1;                                                                                                         \
differs:                                                                                                               \
    return 1;

#endif

///     3  leave 1 unless *v == expect
///     4  *v = newv; commit
static inline int rseq_cmpeqv_storev(intptr_t *v, intptr_t expect, intptr_t newv, int cpu) {
    PERCOLATE_SECTION_ASM(PERCOLATE_SECTION_START(PERCOLATE_SECTION_EXIT(differs))
                 /* 3 */ PERCOLATE_STEP_COMPARE(v, expect)
                 /* 4 */ PERCOLATE_STEP_STORE(newv, v)
                 PERCOLATE_SECTION_END
                 :
                 : PERCOLATE_SECTION_INPUTS, [v] PERCOLATE_WORD(*v), [expect] PERCOLATE_VALUE(expect),
                   [newv] PERCOLATE_VALUE(newv)
                 : PERCOLATE_SECTION_CLOBBERS
                 : aborted, differs);
    return 0;
aborted:
    return -1;
differs:
    return 1;
}

///     3  head = *v; leave 1 if head == expectnot
///     4  *load = head; speculative
///     5  next = *(head + voffp)
///     6  *v = next; commit
///
/// Pops the first node of a list. Another thread may pop it between steps 3 and 5: then the
/// sequence aborts, but nodes must stay mapped as long as somebody may be inside.
static inline int rseq_cmpnev_storeoffp_load(
    intptr_t *v, intptr_t expectnot, intptr_t voffp, intptr_t *load, int cpu) {
    PERCOLATE_SECTION_ASM(PERCOLATE_SECTION_START(PERCOLATE_SECTION_EXIT(differs))
                 /* 3 */ PERCOLATE_STEP_LOAD(v) PERCOLATE_STEP_LEAVE_IF_LOADED(expectnot)
                 /* 4 */ PERCOLATE_STEP_STORE_LOADED(load)
                 /* 5 */ PERCOLATE_STEP_FOLLOW(voffp)
                 /* 6 */ PERCOLATE_STEP_STORE_LOADED(v)
                 PERCOLATE_SECTION_END
                 :
                 : PERCOLATE_SECTION_INPUTS, [v] PERCOLATE_WORD(*v), [expectnot] PERCOLATE_VALUE(expectnot),
                   [voffp] "r"(voffp), [load] PERCOLATE_WORD(*load)
                 : PERCOLATE_SECTION_CLOBBERS
                 : aborted, differs);
    return 0;
aborted:
    return -1;
differs:
    return 1;
}

///     3  *v = *v + count; commit
///
/// Never returns 1.
static inline int rseq_addv(intptr_t *v, intptr_t count, int cpu) {
    PERCOLATE_SECTION_ASM(PERCOLATE_SECTION_START("")
                 /* 3 */ PERCOLATE_STEP_ADD(count, v)
                 PERCOLATE_SECTION_END
                 :
                 : PERCOLATE_SECTION_INPUTS, [v] PERCOLATE_WORD(*v), [count] PERCOLATE_VALUE(count)
                 : PERCOLATE_SECTION_CLOBBERS
                 : aborted);
    return 0;
aborted:
    return -1;
}

///     3  p = *ptr
///     4  q = *(p + off)
///     5  *q = *q + inc; commit
///
/// Never returns 1.
static inline int rseq_offset_deref_addv(intptr_t *ptr, intptr_t off, intptr_t inc, int cpu) {
    PERCOLATE_SECTION_ASM(PERCOLATE_SECTION_START("")
                 /* 3 */ PERCOLATE_STEP_LOAD(ptr)
                 /* 4 */ PERCOLATE_STEP_FOLLOW(off)
                 /* 5 */ PERCOLATE_STEP_ADD_TO_LOADED(inc)
                 PERCOLATE_SECTION_END
                 :
                 : PERCOLATE_SECTION_INPUTS, [ptr] PERCOLATE_WORD(*ptr), [off] "r"(off), [inc] PERCOLATE_VALUE(inc)
                 : PERCOLATE_SECTION_CLOBBERS
                 : aborted);
    return 0;
aborted:
    return -1;
}

///     3  leave 1 unless *v == expect
///     4  *v2 = newv2; speculative
///     5  *v = newv; commit
static inline int rseq_cmpeqv_trystorev_storev(
    intptr_t *v, intptr_t expect, intptr_t *v2, intptr_t newv2, intptr_t newv, int cpu) {
    PERCOLATE_TRYSTOREV_STOREV(PERCOLATE_STEP_STORE)
}

/// As `rseq_cmpeqv_trystorev_storev`; the commit is a store-release.
static inline int rseq_cmpeqv_trystorev_storev_release(
    intptr_t *v, intptr_t expect, intptr_t *v2, intptr_t newv2, intptr_t newv, int cpu) {
    PERCOLATE_TRYSTOREV_STOREV(PERCOLATE_STEP_STORE_RELEASE)
}

///     3  leave 1 unless *v == expect
///     4  leave 1 unless *v2 == expect2
///     5  *v = newv; commit
static inline int rseq_cmpeqv_cmpeqv_storev(
    intptr_t *v, intptr_t expect, intptr_t *v2, intptr_t expect2, intptr_t newv, int cpu) {
    PERCOLATE_SECTION_ASM(PERCOLATE_SECTION_START(PERCOLATE_SECTION_EXIT(differs))
                 /* 3 */ PERCOLATE_STEP_COMPARE(v, expect)
                 /* 4 */ PERCOLATE_STEP_COMPARE(v2, expect2)
                 /* 5 */ PERCOLATE_STEP_STORE(newv, v)
                 PERCOLATE_SECTION_END
                 :
                 : PERCOLATE_SECTION_INPUTS, [v] PERCOLATE_WORD(*v), [expect] PERCOLATE_VALUE(expect),
                   [v2] PERCOLATE_WORD(*v2), [expect2] PERCOLATE_VALUE(expect2), [newv] PERCOLATE_VALUE(newv)
                 : PERCOLATE_SECTION_CLOBBERS
                 : aborted, differs);
    return 0;
aborted:
    return -1;
differs:
    return 1;
}

///     3  leave 1 unless *v == expect
///     4  len bytes at dst = len bytes at src; speculative
///     5  *v = newv; commit
///
/// Meant for some hundred bytes: the longer the copy, the likelier an abort.
static inline int rseq_cmpeqv_trymemcpy_storev(
    intptr_t *v, intptr_t expect, void *dst, const void *src, size_t len, intptr_t newv, int cpu) {
    PERCOLATE_TRYMEMCPY_STOREV(PERCOLATE_STEP_STORE)
}

/// As `rseq_cmpeqv_trymemcpy_storev`; the commit is a store-release.
static inline int rseq_cmpeqv_trymemcpy_storev_release(
    intptr_t *v, intptr_t expect, void *dst, const void *src, size_t len, intptr_t newv, int cpu) {
    PERCOLATE_TRYMEMCPY_STOREV(PERCOLATE_STEP_STORE_RELEASE)
}

#endif
