#ifndef PERCOLATE_RSEQ_OPS_AARCH64_H
#define PERCOLATE_RSEQ_OPS_AARCH64_H

/// The sequences of <percolate/rseq_ops.h> for AArch64: included by it, and described there step by step.
///
/// They assemble, and have not run on hardware: the library keeps the gates closed on this architecture until they have, so
/// step 2 leaves for the vector. x14 and x15 are scratch. The gate is loaded with acquire order: a control dependency would
/// not keep the loads of the data behind it, and a vector that opened the gate must be seen.

#if !defined(PERCOLATE_RSEQ_OPS_H)
#error "include <percolate/rseq_ops.h>"
#endif

/// An entry for debuggers: the sequence that follows, at label 1, may be left to `target`.
#define PERCOLATE_SECTION_EXIT(target)                                                                                 \
    ".pushsection __rseq_exit_point_array, \"awR?\"\n"                                                                 \
    ".quad 1f, " target "\n"                                                                                           \
    ".popsection\n"

/// Describes the sequence between labels 1 and 2 with its abort handler at label 4, arms it, and takes steps 1 and 2.
/// `exits` are the entries of the labels that it may be left to besides `aborted`.
#define PERCOLATE_SECTION_START(exits)                                                                                 \
    ".pushsection __rseq_cs, \"aw?\"\n"                                                                                \
    ".balign 32\n"                                                                                                     \
    "3: .long 0, 0\n"                                                                                                  \
    ".quad 1f, 2f - 1f, 4f\n"                                                                                          \
    ".popsection\n"                                                                                                    \
    ".pushsection __rseq_cs_ptr_array, \"awR?\"\n"                                                                     \
    ".quad 3b\n"                                                                                                       \
    ".popsection\n" PERCOLATE_SECTION_EXIT("%l[aborted]") exits                                                        \
    "adrp x15, 3b\n"                                                                                                   \
    "add x15, x15, :lo12:3b\n"                                                                                         \
    "str x15, [%[area], #8]\n"                                                                                         \
    "1:\n" PERCOLATE_SECTION_DELAY(1)                                                                                  \
    "ldr w15, [%[area], #4]\n"                                                                                         \
    "sub w15, w15, %w[cpu]\n"                                                                                          \
    "cbnz w15, %l[aborted]\n" PERCOLATE_SECTION_DELAY(2)                                                               \
    "ldar x15, [%[gate]]\n"                                                                                            \
    "sub x15, x15, #1\n"                                                                                               \
    "cbnz x15, %l[aborted]\n"

/// Ends the sequence after its commit. The signature is an instruction that traps.
#define PERCOLATE_SECTION_END                                                                                          \
    "2: b 8f\n"                                                                                                        \
    ".inst " PERCOLATE_SECTION_SIGNATURE "\n"                                                                          \
    "4: b %l[aborted]\n"                                                                                               \
    "8:\n"

#define PERCOLATE_SECTION_INPUTS(number)                                                                               \
    [area] "r"((char *)__builtin_thread_pointer() + __rseq_offset), [cpu] "r"(number),                                 \
        [gate] "r"(&percolate_gate_of(number)->state)

#define PERCOLATE_SECTION_CLOBBERS "memory", "cc", "x14", "x15" PERCOLATE_SECTION_DELAY_CLOBBERS

/// Leaves 1 unless the word that `address` points to equals `expected`.
#define PERCOLATE_SECTION_COMPARE(address, expected)                                                                   \
    "ldr x15, [%[" address "]]\n"                                                                                      \
    "sub x15, x15, %[" expected "]\n"                                                                                  \
    "cbnz x15, %l[differs]\n"

/// The CPU number in the thread's rseq area: negative while the thread is not registered.
static inline int percolate_section_cpu(void) {
    return *(const volatile int *)((const char *)__builtin_thread_pointer() + __rseq_offset + 4);
}

static inline int rseq_cmpeqv_storev(intptr_t *v, intptr_t expect, intptr_t newv, int cpu) {
    __asm__ goto(PERCOLATE_SECTION_START(PERCOLATE_SECTION_EXIT("%l[differs]")) PERCOLATE_SECTION_DELAY(3)
                 PERCOLATE_SECTION_COMPARE("v", "expect") PERCOLATE_SECTION_DELAY(4)
                 "str %[newv], [%[v]]\n" PERCOLATE_SECTION_END
                 :
                 : PERCOLATE_SECTION_INPUTS(cpu), [v] "r"(v), [expect] "r"(expect), [newv] "r"(newv)
                 : PERCOLATE_SECTION_CLOBBERS
                 : aborted, differs);
    return 0;
aborted:
    return -1;
differs:
    return 1;
}

static inline int rseq_cmpnev_storeoffp_load(
    intptr_t *v, intptr_t expectnot, intptr_t voffp, intptr_t *load, int cpu) {
    __asm__ goto(PERCOLATE_SECTION_START(PERCOLATE_SECTION_EXIT("%l[differs]")) PERCOLATE_SECTION_DELAY(3)
                 "ldr x14, [%[v]]\n"
                 "sub x15, x14, %[expectnot]\n"
                 "cbz x15, %l[differs]\n" PERCOLATE_SECTION_DELAY(4)
                 "str x14, [%[load]]\n" PERCOLATE_SECTION_DELAY(5)
                 "ldr x14, [x14, %[voffp]]\n" PERCOLATE_SECTION_DELAY(6)
                 "str x14, [%[v]]\n" PERCOLATE_SECTION_END
                 :
                 : PERCOLATE_SECTION_INPUTS(cpu), [v] "r"(v), [expectnot] "r"(expectnot), [voffp] "r"(voffp),
                   [load] "r"(load)
                 : PERCOLATE_SECTION_CLOBBERS
                 : aborted, differs);
    return 0;
aborted:
    return -1;
differs:
    return 1;
}

static inline int rseq_addv(intptr_t *v, intptr_t count, int cpu) {
    __asm__ goto(PERCOLATE_SECTION_START("") PERCOLATE_SECTION_DELAY(3)
                 "ldr x15, [%[v]]\n"
                 "add x15, x15, %[count]\n"
                 "str x15, [%[v]]\n" PERCOLATE_SECTION_END
                 :
                 : PERCOLATE_SECTION_INPUTS(cpu), [v] "r"(v), [count] "r"(count)
                 : PERCOLATE_SECTION_CLOBBERS
                 : aborted);
    return 0;
aborted:
    return -1;
}

static inline int rseq_offset_deref_addv(intptr_t *ptr, intptr_t off, intptr_t inc, int cpu) {
    __asm__ goto(PERCOLATE_SECTION_START("") PERCOLATE_SECTION_DELAY(3)
                 "ldr x14, [%[ptr]]\n" PERCOLATE_SECTION_DELAY(4)
                 "ldr x14, [x14, %[off]]\n" PERCOLATE_SECTION_DELAY(5)
                 "ldr x15, [x14]\n"
                 "add x15, x15, %[inc]\n"
                 "str x15, [x14]\n" PERCOLATE_SECTION_END
                 :
                 : PERCOLATE_SECTION_INPUTS(cpu), [ptr] "r"(ptr), [off] "r"(off), [inc] "r"(inc)
                 : PERCOLATE_SECTION_CLOBBERS
                 : aborted);
    return 0;
aborted:
    return -1;
}

static inline int rseq_cmpeqv_trystorev_storev(
    intptr_t *v, intptr_t expect, intptr_t *v2, intptr_t newv2, intptr_t newv, int cpu) {
    __asm__ goto(PERCOLATE_SECTION_START(PERCOLATE_SECTION_EXIT("%l[differs]")) PERCOLATE_SECTION_DELAY(3)
                 PERCOLATE_SECTION_COMPARE("v", "expect") PERCOLATE_SECTION_DELAY(4)
                 "str %[newv2], [%[v2]]\n" PERCOLATE_SECTION_DELAY(5)
                 "str %[newv], [%[v]]\n" PERCOLATE_SECTION_END
                 :
                 : PERCOLATE_SECTION_INPUTS(cpu), [v] "r"(v), [expect] "r"(expect), [v2] "r"(v2), [newv2] "r"(newv2),
                   [newv] "r"(newv)
                 : PERCOLATE_SECTION_CLOBBERS
                 : aborted, differs);
    return 0;
aborted:
    return -1;
differs:
    return 1;
}

static inline int rseq_cmpeqv_trystorev_storev_release(
    intptr_t *v, intptr_t expect, intptr_t *v2, intptr_t newv2, intptr_t newv, int cpu) {
    __asm__ goto(PERCOLATE_SECTION_START(PERCOLATE_SECTION_EXIT("%l[differs]")) PERCOLATE_SECTION_DELAY(3)
                 PERCOLATE_SECTION_COMPARE("v", "expect") PERCOLATE_SECTION_DELAY(4)
                 "str %[newv2], [%[v2]]\n" PERCOLATE_SECTION_DELAY(5)
                 "stlr %[newv], [%[v]]\n" PERCOLATE_SECTION_END
                 :
                 : PERCOLATE_SECTION_INPUTS(cpu), [v] "r"(v), [expect] "r"(expect), [v2] "r"(v2), [newv2] "r"(newv2),
                   [newv] "r"(newv)
                 : PERCOLATE_SECTION_CLOBBERS
                 : aborted, differs);
    return 0;
aborted:
    return -1;
differs:
    return 1;
}

static inline int rseq_cmpeqv_cmpeqv_storev(
    intptr_t *v, intptr_t expect, intptr_t *v2, intptr_t expect2, intptr_t newv, int cpu) {
    __asm__ goto(PERCOLATE_SECTION_START(PERCOLATE_SECTION_EXIT("%l[differs]")) PERCOLATE_SECTION_DELAY(3)
                 PERCOLATE_SECTION_COMPARE("v", "expect") PERCOLATE_SECTION_DELAY(4)
                 PERCOLATE_SECTION_COMPARE("v2", "expect2") PERCOLATE_SECTION_DELAY(5)
                 "str %[newv], [%[v]]\n" PERCOLATE_SECTION_END
                 :
                 : PERCOLATE_SECTION_INPUTS(cpu), [v] "r"(v), [expect] "r"(expect), [v2] "r"(v2),
                   [expect2] "r"(expect2), [newv] "r"(newv)
                 : PERCOLATE_SECTION_CLOBBERS
                 : aborted, differs);
    return 0;
aborted:
    return -1;
differs:
    return 1;
}

static inline int rseq_cmpeqv_trymemcpy_storev(
    intptr_t *v, intptr_t expect, void *dst, const void *src, size_t len, intptr_t newv, int cpu) {
    // x14 counts the bytes copied.
    __asm__ goto(PERCOLATE_SECTION_START(PERCOLATE_SECTION_EXIT("%l[differs]")) PERCOLATE_SECTION_DELAY(3)
                 PERCOLATE_SECTION_COMPARE("v", "expect") PERCOLATE_SECTION_DELAY(4)
                 "mov x14, #0\n"
                 "5: cmp x14, %[len]\n"
                 "b.hs 6f\n"
                 "ldrb w15, [%[src], x14]\n"
                 "strb w15, [%[dst], x14]\n"
                 "add x14, x14, #1\n"
                 "b 5b\n"
                 "6:\n" PERCOLATE_SECTION_DELAY(5)
                 "str %[newv], [%[v]]\n" PERCOLATE_SECTION_END
                 :
                 : PERCOLATE_SECTION_INPUTS(cpu), [v] "r"(v), [expect] "r"(expect), [dst] "r"(dst), [src] "r"(src),
                   [len] "r"(len), [newv] "r"(newv)
                 : PERCOLATE_SECTION_CLOBBERS
                 : aborted, differs);
    return 0;
aborted:
    return -1;
differs:
    return 1;
}

static inline int rseq_cmpeqv_trymemcpy_storev_release(
    intptr_t *v, intptr_t expect, void *dst, const void *src, size_t len, intptr_t newv, int cpu) {
    // x14 counts the bytes copied.
    __asm__ goto(PERCOLATE_SECTION_START(PERCOLATE_SECTION_EXIT("%l[differs]")) PERCOLATE_SECTION_DELAY(3)
                 PERCOLATE_SECTION_COMPARE("v", "expect") PERCOLATE_SECTION_DELAY(4)
                 "mov x14, #0\n"
                 "5: cmp x14, %[len]\n"
                 "b.hs 6f\n"
                 "ldrb w15, [%[src], x14]\n"
                 "strb w15, [%[dst], x14]\n"
                 "add x14, x14, #1\n"
                 "b 5b\n"
                 "6:\n" PERCOLATE_SECTION_DELAY(5)
                 "stlr %[newv], [%[v]]\n" PERCOLATE_SECTION_END
                 :
                 : PERCOLATE_SECTION_INPUTS(cpu), [v] "r"(v), [expect] "r"(expect), [dst] "r"(dst), [src] "r"(src),
                   [len] "r"(len), [newv] "r"(newv)
                 : PERCOLATE_SECTION_CLOBBERS
                 : aborted, differs);
    return 0;
aborted:
    return -1;
differs:
    return 1;
}

#endif
