// The entry points of operation vectors: they hold what the core leaves to C, `errno` and the copy of the vector.

#include <errno.h>
#include <percolate/rseq.h>
#include <percolate/vector_entry.h>

#define EXPORTED __attribute__((visibility("default")))

static int run(struct cpu_op *vector, int count, int cpu, int flags, enum percolate_vector_cpu which) {
    struct cpu_op copy[CPU_OP_VEC_LEN_MAX];
    long result = percolate_run_vector(vector, copy, count, cpu, flags, which);
    if (result >= 0) { return (int)result; }
    errno = (int)-result;
    return -1;
}

EXPORTED int cpu_opv(struct cpu_op *vector, int count, int cpu, int flags) {
    return run(vector, count, cpu, flags, PERCOLATE_VECTOR_ALLOWED_CPU);
}

EXPORTED int percolate_cpu_opv(struct cpu_op *vector, int count, int cpu, int flags) {
    return run(vector, count, cpu, flags, PERCOLATE_VECTOR_ANY_CPU);
}

EXPORTED int percolate_running_cpu(void) { return percolate_current_cpu(); }
