#ifndef PERCOLATE_RSEQ_OPS_H
#define PERCOLATE_RSEQ_OPS_H

/// Operations on per-CPU data as restartable sequences: each runs on CPU `cpu` from its first step to its commit without
/// another thread having run there, or has no effect.
///
/// All return 0 when committed, 1 when a compare left the sequence, and -1 when the sequence did not commit: the thread
/// was preempted, migrated, interrupted by a signal or single-stepped, runs on another CPU, is not registered with
/// the kernel, or the CPU's gate is closed. After -1 the operation belongs to an operation vector; <percolate/percpu_ops.h>
/// does both. Retrying instead may never end, under a debugger for one.
///
/// Every sequence loads the CPU's gate, so vectors of the same process exclude it. Data they work on may be written only by
/// these operations and by vectors that name the same CPU.
///
/// The gates open when the process first runs a vector.
///
/// All may be called in signal handlers. None may be called in a `vfork` child, which shares its parent's
/// registration but is never aborted. They need glibc 2.35 or later, which registers every thread.
///
/// The pseudocode below is the contract of the files per architecture. `leave r` ends with the result r, `commit` marks the
/// only store that takes effect, and "speculative" stores may be seen although the sequence is aborted: they must go to
/// memory that means nothing before the commit. Every sequence starts with
///
///     1  leave -1 unless the CPU number of this thread is cpu
///     2  leave -1 unless gate[cpu] is open

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

/// The four bytes before every abort handler: what glibc registers with.
#if defined(__x86_64__)
#define PERCOLATE_SECTION_SIGNATURE "0x53053053"
#elif defined(__aarch64__)
#define PERCOLATE_SECTION_SIGNATURE "0xd428bc00"
#endif

/// For tests: assembly that is placed before step `step` of every sequence, and the registers that it overwrites.
#ifndef PERCOLATE_SECTION_DELAY
#define PERCOLATE_SECTION_DELAY(step) ""
#define PERCOLATE_SECTION_DELAY_CLOBBERS
#endif

/// The gate of `cpu`. The sequence loads it only after it has compared `cpu` with the thread's own number, so any number may
/// be asked for.
static inline const struct percolate_gate *percolate_gate_of(int cpu) {
    return (const struct percolate_gate *)((uintptr_t)percolate_gates
                                           + ((uintptr_t)(intptr_t)cpu + 2) * sizeof(struct percolate_gate));
}

///     3  leave 1 unless *v == expect
///     4  *v = newv; commit
static inline int rseq_cmpeqv_storev(intptr_t *v, intptr_t expect, intptr_t newv, int cpu);

///     3  head = *v; leave 1 if head == expectnot
///     4  *load = head; speculative
///     5  next = *(head + voffp)
///     6  *v = next; commit
///
/// Pops the first node of a list. Another thread may pop it between steps 3 and 5: then the sequence aborts, but nodes must
/// stay mapped as long as somebody may be inside.
static inline int rseq_cmpnev_storeoffp_load(
    intptr_t *v, intptr_t expectnot, intptr_t voffp, intptr_t *load, int cpu);

///     3  *v = *v + count; commit
///
/// Never returns 1.
static inline int rseq_addv(intptr_t *v, intptr_t count, int cpu);

///     3  p = *ptr
///     4  q = *(p + off)
///     5  *q = *q + inc; commit
///
/// Never returns 1.
static inline int rseq_offset_deref_addv(intptr_t *ptr, intptr_t off, intptr_t inc, int cpu);

///     3  leave 1 unless *v == expect
///     4  *v2 = newv2; speculative
///     5  *v = newv; commit
static inline int rseq_cmpeqv_trystorev_storev(
    intptr_t *v, intptr_t expect, intptr_t *v2, intptr_t newv2, intptr_t newv, int cpu);

/// As `rseq_cmpeqv_trystorev_storev`; the commit is a store-release.
static inline int rseq_cmpeqv_trystorev_storev_release(
    intptr_t *v, intptr_t expect, intptr_t *v2, intptr_t newv2, intptr_t newv, int cpu);

///     3  leave 1 unless *v == expect
///     4  leave 1 unless *v2 == expect2
///     5  *v = newv; commit
static inline int rseq_cmpeqv_cmpeqv_storev(
    intptr_t *v, intptr_t expect, intptr_t *v2, intptr_t expect2, intptr_t newv, int cpu);

///     3  leave 1 unless *v == expect
///     4  len bytes at dst = len bytes at src; speculative
///     5  *v = newv; commit
///
/// Meant for some hundred bytes: the longer the copy, the likelier an abort.
static inline int rseq_cmpeqv_trymemcpy_storev(
    intptr_t *v, intptr_t expect, void *dst, const void *src, size_t len, intptr_t newv, int cpu);

/// As `rseq_cmpeqv_trymemcpy_storev`; the commit is a store-release.
static inline int rseq_cmpeqv_trymemcpy_storev_release(
    intptr_t *v, intptr_t expect, void *dst, const void *src, size_t len, intptr_t newv, int cpu);

#if defined(__x86_64__)
#include <percolate/rseq_ops_x86_64.h>
#elif defined(__aarch64__)
#include <percolate/rseq_ops_aarch64.h>
#else
#error "no restartable sequences for this architecture"
#endif

#endif
