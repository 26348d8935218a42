#ifndef PERCOLATE_PERCPU_INDEX_H
#define PERCOLATE_PERCPU_INDEX_H

/// What the parts of per-CPU data belong to: CPU numbers, or the concurrency ids of
/// <percolate/mm_cid_ops.h>.

#include <percolate/mm_cid_ops.h>

enum percpu_index {
    /// CPU numbers. A remote operation interrupts the one CPU that it names.
    PERCPU_CPU_ID = 0,
    /// Concurrency ids. A process with few threads touches few parts, on however large a machine; a
    /// remote operation interrupts all CPUs that run the process.
    PERCPU_MM_CID = 1,
};

/// How many parts per-CPU data has, whichever index it has: one more than the highest CPU number
/// that the machine may use.
static inline int percpu_count(void) { return percolate_cpu_count(); }

/// The index of the calling thread, now or a moment ago: it may be moved between any two
/// instructions.
static inline int percpu_current(enum percpu_index by) {
    return by == PERCPU_MM_CID ? percpu_current_mm_cid() : percpu_current_cpu();
}

/// An operation of <percolate/percpu_ops.h>, without its prefix, on data of that index: the
/// sequence, and the vector where it does not commit.
#define PERCPU_OPERATE(by, operation, ...)                                                         \
    ((by) == PERCPU_MM_CID ? percpu_mm_cid_##operation(__VA_ARGS__)                                \
                           : percpu_##operation(__VA_ARGS__))

/// An operation of <percolate/cpu_op.h>, without its prefix, on data of that index: the vector
/// alone.
#define PERCPU_VECTOR(by, operation, ...)                                                          \
    ((by) == PERCPU_MM_CID ? mm_cid_op_##operation(__VA_ARGS__) : cpu_op_##operation(__VA_ARGS__))

/// The one or the other: where the caller names the index it works on data that is not its own,
/// which only a vector can.
enum percpu_way { PERCPU_HERE, PERCPU_REMOTE };
#define PERCPU_BY_WAY(way, by, operation, ...)                                                     \
    ((way) == PERCPU_HERE ? PERCPU_OPERATE(by, operation, __VA_ARGS__)                             \
                          : PERCPU_VECTOR(by, operation, __VA_ARGS__))

/// `old = *v; *v = newv;` by a vector. 0, or -1 with errno.
static inline int percpu_exchange(enum percpu_index by, intptr_t *v, intptr_t newv, intptr_t *old,
                                  int index) {
    struct cpu_op vector[] = {
        percolate_op_copy(CPU_MEMCPY_OP, old, v, sizeof *v),
        percolate_op_copy(CPU_MEMCPY_OP, v, &newv, sizeof *v),
    };
    return by == PERCPU_MM_CID ? percolate_mm_cid_opv(vector, 2, index, 0)
                               : percolate_cpu_opv(vector, 2, index, 0);
}

/// A word of per-CPU data at this moment, and what was stored before it.
static inline intptr_t percpu_load(const intptr_t *v) {
    return __atomic_load_n(v, __ATOMIC_ACQUIRE);
}

#endif
