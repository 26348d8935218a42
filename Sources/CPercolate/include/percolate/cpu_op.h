// <percolate/mm_cid_ops.h> includes this file a second time.
#if !defined(PERCOLATE_CPU_OP_H) || defined(PERCOLATE_BY_MM_CID)
#ifndef PERCOLATE_CPU_OP_H
#define PERCOLATE_CPU_OP_H

/// Operations on per-CPU data as operation vectors: for threads that run elsewhere, and for those
/// that cannot run restartable sequences. Arguments by value live in the frame of the helper while
/// the vector runs.
///
/// All return 0 when done; the index plus one of the compare that left the vector; -1 with `errno`
/// otherwise, as `cpu_opv` has it, except that any CPU of the machine may be named: a sequence's
/// thread may lose the right to run on a CPU after it has read its number. `cpu_op_cmpxchg`, which
/// finishes no sequence, asks as `cpu_opv` does for a CPU that the thread may run on;
/// `percolate_cpu_op_cmpxchg` does not. All may be called in signal handlers.

#include <percolate/cpu_opv.h>
#include <stddef.h>
#include <stdint.h>

static inline struct cpu_op percolate_op_compare(int op, const void *a, const void *b, size_t len) {
    struct cpu_op operation;
    __builtin_memset(&operation, 0, sizeof operation);
    operation.op = op;
    // A length that does not fit is above every limit, and stays so.
    operation.len = len > UINT32_MAX ? UINT32_MAX : (uint32_t)len;
    operation.u.compare_op.a = (uintptr_t)a;
    operation.u.compare_op.b = (uintptr_t)b;
    return operation;
}

static inline struct cpu_op percolate_op_copy(int op, void *dst, const void *src, size_t len) {
    struct cpu_op operation;
    __builtin_memset(&operation, 0, sizeof operation);
    operation.op = op;
    operation.len = len > UINT32_MAX ? UINT32_MAX : (uint32_t)len;
    operation.u.memcpy_op.dst = (uintptr_t)dst;
    operation.u.memcpy_op.src = (uintptr_t)src;
    return operation;
}

static inline struct cpu_op percolate_op_sum(int op, void *p, int64_t count, size_t len) {
    struct cpu_op operation;
    __builtin_memset(&operation, 0, sizeof operation);
    operation.op = op;
    operation.len = len > UINT32_MAX ? UINT32_MAX : (uint32_t)len;
    operation.u.arithmetic_op.p = (uintptr_t)p;
    operation.u.arithmetic_op.count = count;
    return operation;
}

static inline struct cpu_op percolate_op_barrier(void) {
    struct cpu_op operation;
    __builtin_memset(&operation, 0, sizeof operation);
    operation.op = CPU_MB_OP;
    return operation;
}

/// 1 when vectors can be run, else 0.
static inline int cpu_op_available(void) { return cpu_opv(NULL, 0, 0, CPU_OP_NR_FLAG) >= 0; }

/// The CPU that the calling thread runs on, asked of the kernel.
static inline int cpu_op_get_current_cpu(void) { return percolate_running_cpu(); }

/// `*old = *v; if (*v == *expect) *v = *new_value;`, all of them `len` bytes, by `run`.
static inline int percolate_cmpxchg_by(
    int (*run)(struct cpu_op *, int, int, int), void *v, const void *expect, void *old, const void *new_value,
    size_t len, int cpu) {
    struct cpu_op vector[] = {
        percolate_op_copy(CPU_MEMCPY_OP, old, v, len),
        percolate_op_compare(CPU_COMPARE_EQ_OP, v, expect, len),
        percolate_op_copy(CPU_MEMCPY_OP, v, new_value, len),
    };
    return run(vector, 3, cpu, 0);
}

/// `*old = *v; if (*v == *expect) *v = *new_value;`, all of them `len` bytes, on a CPU that the
/// thread may run on: `EINVAL` for others. 2 when the compare failed: `*old` holds the value then
/// as well.
static inline int cpu_op_cmpxchg(void *v, const void *expect, void *old, const void *new_value, size_t len, int cpu) {
    return percolate_cmpxchg_by(cpu_opv, v, expect, old, new_value, len, cpu);
}

#endif

/// As `cpu_op_cmpxchg`, for every CPU of the machine.
static inline int percolate_cpu_op_cmpxchg(
    void *v, const void *expect, void *old, const void *new_value, size_t len, int cpu) {
    return percolate_cmpxchg_by(percolate_cpu_opv, v, expect, old, new_value, len, cpu);
}

/// `*v += count`, of `len` bytes.
static inline int cpu_op_add(void *v, int64_t count, size_t len, int cpu) {
    struct cpu_op vector[] = {percolate_op_sum(CPU_ADD_OP, v, count, len)};
    return percolate_cpu_opv(vector, 1, cpu, 0);
}

/// As `cpu_op_add`, with a store-release.
static inline int cpu_op_add_release(void *v, int64_t count, size_t len, int cpu) {
    struct cpu_op vector[] = {percolate_op_sum(CPU_ADD_RELEASE_OP, v, count, len)};
    return percolate_cpu_opv(vector, 1, cpu, 0);
}

/// `*v += count`
static inline int cpu_op_addv(intptr_t *v, int64_t count, int cpu) { return cpu_op_add(v, count, sizeof *v, cpu); }

/// `if (*v == expect) *v = newv;`
static inline int cpu_op_cmpeqv_storev(intptr_t *v, intptr_t expect, intptr_t newv, int cpu) {
    struct cpu_op vector[] = {
        percolate_op_compare(CPU_COMPARE_EQ_OP, v, &expect, sizeof *v),
        percolate_op_copy(CPU_MEMCPY_OP, v, &newv, sizeof *v),
    };
    return percolate_cpu_opv(vector, 2, cpu, 0);
}

/// `if (*v == expect) *v = *newp;` where `newp` may be unmapped: then -1 with `EAGAIN`.
static inline int cpu_op_cmpeqv_storep_expect_fault(intptr_t *v, intptr_t expect, const intptr_t *newp, int cpu) {
    struct cpu_op vector[] = {
        percolate_op_compare(CPU_COMPARE_EQ_OP, v, &expect, sizeof *v),
        percolate_op_copy(CPU_MEMCPY_OP, v, newp, sizeof *v),
    };
    vector[1].u.memcpy_op.expect_fault_src = 1;
    return percolate_cpu_opv(vector, 2, cpu, 0);
}

/// `head = *v; if (head == expectnot) return 1; *load = head; *v = *(head + voffp);`
///
/// A vector cannot follow a pointer that it loads itself. So the head is read first and compared in
/// the vector; the node's successor is read in the vector, after the compare, which is why a node
/// that was popped and pushed again in between does no harm. When another thread was faster the
/// next head is tried: somebody made progress each time. `EAGAIN` is returned only for a head that
/// cannot be read and stays the head.
static inline int cpu_op_cmpnev_storeoffp_load(
    intptr_t *v, intptr_t expectnot, intptr_t voffp, intptr_t *load, int cpu) {
    for (;;) {
        intptr_t head = *(volatile intptr_t *)v;
        if (head == expectnot) { return 1; }
        int result = cpu_op_cmpeqv_storep_expect_fault(v, head, (const intptr_t *)(head + voffp), cpu);
        if (result == 0) { *load = head; }
        if (result == 0 || (result < 0 && (errno != EAGAIN || head == *(volatile intptr_t *)v))) { return result; }
    }
}

/// `if (*v == expect) { *v2 = newv2; *v = newv; }`
static inline int cpu_op_cmpeqv_storev_storev(
    intptr_t *v, intptr_t expect, intptr_t *v2, intptr_t newv2, intptr_t newv, int cpu) {
    struct cpu_op vector[] = {
        percolate_op_compare(CPU_COMPARE_EQ_OP, v, &expect, sizeof *v),
        percolate_op_copy(CPU_MEMCPY_OP, v2, &newv2, sizeof *v2),
        percolate_op_copy(CPU_MEMCPY_OP, v, &newv, sizeof *v),
    };
    return percolate_cpu_opv(vector, 3, cpu, 0);
}

/// As `cpu_op_cmpeqv_storev_storev`, with a full barrier before the last store.
static inline int cpu_op_cmpeqv_storev_mb_storev(
    intptr_t *v, intptr_t expect, intptr_t *v2, intptr_t newv2, intptr_t newv, int cpu) {
    struct cpu_op vector[] = {
        percolate_op_compare(CPU_COMPARE_EQ_OP, v, &expect, sizeof *v),
        percolate_op_copy(CPU_MEMCPY_OP, v2, &newv2, sizeof *v2),
        percolate_op_barrier(),
        percolate_op_copy(CPU_MEMCPY_OP, v, &newv, sizeof *v),
    };
    return percolate_cpu_opv(vector, 4, cpu, 0);
}

/// As `cpu_op_cmpeqv_storev_storev`; the last store is a store-release.
static inline int cpu_op_cmpeqv_storev_storev_release(
    intptr_t *v, intptr_t expect, intptr_t *v2, intptr_t newv2, intptr_t newv, int cpu) {
    struct cpu_op vector[] = {
        percolate_op_compare(CPU_COMPARE_EQ_OP, v, &expect, sizeof *v),
        percolate_op_copy(CPU_MEMCPY_OP, v2, &newv2, sizeof *v2),
        percolate_op_copy(CPU_MEMCPY_RELEASE_OP, v, &newv, sizeof *v),
    };
    return percolate_cpu_opv(vector, 3, cpu, 0);
}

/// `if (*v == expect && *v2 == expect2) *v = newv;`: 1 or 2 tells which compare failed.
static inline int cpu_op_cmpeqv_cmpeqv_storev(
    intptr_t *v, intptr_t expect, intptr_t *v2, intptr_t expect2, intptr_t newv, int cpu) {
    struct cpu_op vector[] = {
        percolate_op_compare(CPU_COMPARE_EQ_OP, v, &expect, sizeof *v),
        percolate_op_compare(CPU_COMPARE_EQ_OP, v2, &expect2, sizeof *v2),
        percolate_op_copy(CPU_MEMCPY_OP, v, &newv, sizeof *v),
    };
    return percolate_cpu_opv(vector, 3, cpu, 0);
}

/// `if (*v == expect) { memcpy(dst, src, len); *v = newv; }`
static inline int cpu_op_cmpeqv_memcpy_storev(
    intptr_t *v, intptr_t expect, void *dst, const void *src, size_t len, intptr_t newv, int cpu) {
    struct cpu_op vector[] = {
        percolate_op_compare(CPU_COMPARE_EQ_OP, v, &expect, sizeof *v),
        percolate_op_copy(CPU_MEMCPY_OP, dst, src, len),
        percolate_op_copy(CPU_MEMCPY_OP, v, &newv, sizeof *v),
    };
    return percolate_cpu_opv(vector, 3, cpu, 0);
}

/// As `cpu_op_cmpeqv_memcpy_storev`, with a full barrier before the last store.
static inline int cpu_op_cmpeqv_memcpy_mb_storev(
    intptr_t *v, intptr_t expect, void *dst, const void *src, size_t len, intptr_t newv, int cpu) {
    struct cpu_op vector[] = {
        percolate_op_compare(CPU_COMPARE_EQ_OP, v, &expect, sizeof *v),
        percolate_op_copy(CPU_MEMCPY_OP, dst, src, len),
        percolate_op_barrier(),
        percolate_op_copy(CPU_MEMCPY_OP, v, &newv, sizeof *v),
    };
    return percolate_cpu_opv(vector, 4, cpu, 0);
}

/// As `cpu_op_cmpeqv_memcpy_storev`; the last store is a store-release.
static inline int cpu_op_cmpeqv_memcpy_storev_release(
    intptr_t *v, intptr_t expect, void *dst, const void *src, size_t len, intptr_t newv, int cpu) {
    struct cpu_op vector[] = {
        percolate_op_compare(CPU_COMPARE_EQ_OP, v, &expect, sizeof *v),
        percolate_op_copy(CPU_MEMCPY_OP, dst, src, len),
        percolate_op_copy(CPU_MEMCPY_RELEASE_OP, v, &newv, sizeof *v),
    };
    return percolate_cpu_opv(vector, 3, cpu, 0);
}

#endif
