#ifndef PERCOLATE_VECTOR_ENTRY_H
#define PERCOLATE_VECTOR_ENTRY_H

/// Between the C entry points of operation vectors and the core.

#include <percolate/cpu_opv.h>
#include <percolate/gates.h>

/// What a gate's index is.
enum percolate_gate_index { PERCOLATE_GATE_OF_CPU = 0, PERCOLATE_GATE_OF_MM_CID = 1 };

/// Which CPUs a vector may name.
enum percolate_vector_cpu {
    /// Those that the calling thread may run on.
    PERCOLATE_VECTOR_ALLOWED_CPU = 0,
    /// Every CPU of the machine.
    PERCOLATE_VECTOR_ANY_CPU = 1,
    /// None: the number is a concurrency id, any below the number of CPUs of the machine.
    PERCOLATE_VECTOR_MM_CID = 2,
};

/// `cpu_opv` with a negative errno in place of -1. `copy` has room for `CPU_OP_VEC_LEN_MAX`
/// operations: the caller's stack holds the vector while it runs, so that nobody can change it
/// after it was checked.
///
/// Defined by the core.
long percolate_run_vector(
    const struct cpu_op *vector, struct cpu_op *copy, int count, int cpu, int flags, enum percolate_vector_cpu which);

/// The public gate of `index`, which is in -2 ..< PERCOLATE_GATES_MAX.
struct percolate_gate *percolate_public_gate(int index, enum percolate_gate_index kind)
    __attribute__((visibility("hidden")));

#endif
