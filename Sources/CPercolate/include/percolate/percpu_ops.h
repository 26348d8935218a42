// <percolate/mm_cid_ops.h> includes this file a second time.
#if !defined(PERCOLATE_PERCPU_OPS_H) || defined(PERCOLATE_BY_MM_CID)
#ifndef PERCOLATE_PERCPU_OPS_H
#define PERCOLATE_PERCPU_OPS_H

/// Operations on the data of CPU `cpu`: the restartable sequence, and the operation vector when it
/// did not commit. The caller sees one operation, whichever way it took, and from whichever CPU.
///
/// All return 0 when done, above 0 when a compare failed, and -1 with `errno` only for what
/// `cpu_op_*` would refuse.
///
/// The pattern: read the CPU with `percpu_current_cpu`, compute addresses of its data, operate, and
/// on a result above 0 that means a lost race start over with a fresh CPU. A thread that migrates
/// in between operates on the data of the CPU that it has left, correctly.

#include <percolate/cpu_op.h>
#include <percolate/rseq_ops.h>

/// The CPU the thread runs on, or ran on a moment ago. A load and a compare where the thread is
/// registered.
static inline int percpu_current_cpu(void) {
    int cpu = percolate_section_cpu();
    return cpu >= 0 ? cpu : percolate_running_cpu();
}

/// The vector's side of an operation, out of line: the sequence's is small enough to be inlined.
#define PERCOLATE_FALL_BACK static __attribute__((cold, noinline, unused)) int

#endif

PERCOLATE_FALL_BACK percpu_cmpeqv_storev_by_vector(
    intptr_t *v, intptr_t expect, intptr_t newv, int cpu) {
    percolate_sequence_failed(v, cpu);
    return cpu_op_cmpeqv_storev(v, expect, newv, cpu);
}

/// `if (*v == expect) *v = newv;`
static inline int percpu_cmpeqv_storev(intptr_t *v, intptr_t expect, intptr_t newv, int cpu) {
    int result = rseq_cmpeqv_storev(v, expect, newv, cpu);
    if (__builtin_expect(result >= 0, 1)) { return result; }
    return percpu_cmpeqv_storev_by_vector(v, expect, newv, cpu);
}

PERCOLATE_FALL_BACK percpu_cmpnev_storeoffp_load_by_vector(
    intptr_t *v, intptr_t expectnot, intptr_t voffp, intptr_t *load, int cpu) {
    percolate_sequence_failed(v, cpu);
    return cpu_op_cmpnev_storeoffp_load(v, expectnot, voffp, load, cpu);
}

/// `head = *v; if (head == expectnot) return 1; *load = head; *v = *(head + voffp);`
static inline int percpu_cmpnev_storeoffp_load(
    intptr_t *v, intptr_t expectnot, intptr_t voffp, intptr_t *load, int cpu) {
    int result = rseq_cmpnev_storeoffp_load(v, expectnot, voffp, load, cpu);
    if (__builtin_expect(result >= 0, 1)) { return result; }
    return percpu_cmpnev_storeoffp_load_by_vector(v, expectnot, voffp, load, cpu);
}

PERCOLATE_FALL_BACK percpu_addv_by_vector(intptr_t *v, intptr_t count, int cpu) {
    percolate_sequence_failed(v, cpu);
    return cpu_op_addv(v, count, cpu);
}

/// `*v += count`
static inline int percpu_addv(intptr_t *v, intptr_t count, int cpu) {
    int result = rseq_addv(v, count, cpu);
    if (__builtin_expect(result >= 0, 1)) { return result; }
    return percpu_addv_by_vector(v, count, cpu);
}

PERCOLATE_FALL_BACK percpu_cmpeqv_storev_storev_by_vector(
    intptr_t *v, intptr_t expect, intptr_t *v2, intptr_t newv2, intptr_t newv, int cpu) {
    percolate_sequence_failed(v, cpu);
    return cpu_op_cmpeqv_storev_storev(v, expect, v2, newv2, newv, cpu);
}

/// `if (*v == expect) { *v2 = newv2; *v = newv; }`, where `*v2` may be stored without `*v`.
static inline int percpu_cmpeqv_storev_storev(
    intptr_t *v, intptr_t expect, intptr_t *v2, intptr_t newv2, intptr_t newv, int cpu) {
    int result = rseq_cmpeqv_trystorev_storev(v, expect, v2, newv2, newv, cpu);
    if (__builtin_expect(result >= 0, 1)) { return result; }
    return percpu_cmpeqv_storev_storev_by_vector(v, expect, v2, newv2, newv, cpu);
}

PERCOLATE_FALL_BACK percpu_cmpeqv_storev_storev_release_by_vector(
    intptr_t *v, intptr_t expect, intptr_t *v2, intptr_t newv2, intptr_t newv, int cpu) {
    percolate_sequence_failed(v, cpu);
    return cpu_op_cmpeqv_storev_storev_release(v, expect, v2, newv2, newv, cpu);
}

/// As `percpu_cmpeqv_storev_storev`; the last store is a store-release.
static inline int percpu_cmpeqv_storev_storev_release(
    intptr_t *v, intptr_t expect, intptr_t *v2, intptr_t newv2, intptr_t newv, int cpu) {
    int result = rseq_cmpeqv_trystorev_storev_release(v, expect, v2, newv2, newv, cpu);
    if (__builtin_expect(result >= 0, 1)) { return result; }
    return percpu_cmpeqv_storev_storev_release_by_vector(v, expect, v2, newv2, newv, cpu);
}

PERCOLATE_FALL_BACK percpu_cmpeqv_cmpeqv_storev_by_vector(
    intptr_t *v, intptr_t expect, intptr_t *v2, intptr_t expect2, intptr_t newv, int cpu) {
    percolate_sequence_failed(v, cpu);
    return cpu_op_cmpeqv_cmpeqv_storev(v, expect, v2, expect2, newv, cpu);
}

/// `if (*v == expect && *v2 == expect2) *v = newv;`
static inline int percpu_cmpeqv_cmpeqv_storev(
    intptr_t *v, intptr_t expect, intptr_t *v2, intptr_t expect2, intptr_t newv, int cpu) {
    int result = rseq_cmpeqv_cmpeqv_storev(v, expect, v2, expect2, newv, cpu);
    if (__builtin_expect(result >= 0, 1)) { return result; }
    return percpu_cmpeqv_cmpeqv_storev_by_vector(v, expect, v2, expect2, newv, cpu);
}

PERCOLATE_FALL_BACK percpu_cmpeqv_memcpy_storev_by_vector(
    intptr_t *v, intptr_t expect, void *dst, const void *src, size_t len, intptr_t newv, int cpu) {
    percolate_sequence_failed(v, cpu);
    return cpu_op_cmpeqv_memcpy_storev(v, expect, dst, src, len, newv, cpu);
}

/// `if (*v == expect) { memcpy(dst, src, len); *v = newv; }`, where the copy may happen without the
/// store.
static inline int percpu_cmpeqv_memcpy_storev(
    intptr_t *v, intptr_t expect, void *dst, const void *src, size_t len, intptr_t newv, int cpu) {
    int result = rseq_cmpeqv_trymemcpy_storev(v, expect, dst, src, len, newv, cpu);
    if (__builtin_expect(result >= 0, 1)) { return result; }
    return percpu_cmpeqv_memcpy_storev_by_vector(v, expect, dst, src, len, newv, cpu);
}

PERCOLATE_FALL_BACK percpu_cmpeqv_memcpy_storev_release_by_vector(
    intptr_t *v, intptr_t expect, void *dst, const void *src, size_t len, intptr_t newv, int cpu) {
    percolate_sequence_failed(v, cpu);
    return cpu_op_cmpeqv_memcpy_storev_release(v, expect, dst, src, len, newv, cpu);
}

/// As `percpu_cmpeqv_memcpy_storev`; the last store is a store-release.
static inline int percpu_cmpeqv_memcpy_storev_release(
    intptr_t *v, intptr_t expect, void *dst, const void *src, size_t len, intptr_t newv, int cpu) {
    int result = rseq_cmpeqv_trymemcpy_storev_release(v, expect, dst, src, len, newv, cpu);
    if (__builtin_expect(result >= 0, 1)) { return result; }
    return percpu_cmpeqv_memcpy_storev_release_by_vector(v, expect, dst, src, len, newv, cpu);
}

#endif
