// The entry points of operation vectors: they hold what the core leaves to C, `errno` and the copy of the vector.

#include <errno.h>
#include <percolate/probes.h>
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

/// Why a sequence did not commit, as far as it can be told afterwards.
enum failure { INTERRUPTED = 0, ELSEWHERE = 1, NOT_REGISTERED = 2, GATE_CLOSED = 3 };

EXPORTED void percolate_sequence_failed(const void *address, int cpu) {
    if (!percolate_percpu_fallback_is_traced()) { return; }
    enum failure reason = INTERRUPTED;
    int registered = percolate_rseq_glibc_size() != 0;
    int current = registered ? percolate_rseq_field(percolate_rseq_glibc_offset() + 4) : -1;
    if (current < 0) {
        reason = NOT_REGISTERED;
    } else if (current != cpu) {
        reason = ELSEWHERE;
    } else if (percolate_public_gate(cpu)->state != PERCOLATE_GATE_OPEN) {
        reason = GATE_CLOSED;
    }
    percolate_trace_percpu_fallback(cpu, (uint64_t)(uintptr_t)address, reason);
}
