// The entry points of operation vectors: they hold what the core leaves to C, `errno` and the copy
// of the vector.

#include <errno.h>
#include <percolate/probes.h>
#include <percolate/rseq.h>
#include <percolate/vector_entry.h>

#include "core.h"

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

EXPORTED int percolate_mm_cid_opv(struct cpu_op *vector, int count, int mm_cid, int flags) {
    return run(vector, count, mm_cid, flags, PERCOLATE_VECTOR_MM_CID);
}

EXPORTED int percolate_running_cpu(void) { return percolate_current_cpu(); }

EXPORTED int percolate_cpu_count(void) { return percolate_count_cpus(); }

EXPORTED int percolate_has_mm_cid(void) { return percolate_knows_mm_cid(); }

/// Why a sequence did not commit, as far as it can be told afterwards.
enum failure { INTERRUPTED = 0, ELSEWHERE = 1, NOT_REGISTERED = 2, GATE_CLOSED = 3 };

static void announce_failure(const void *address, int index, enum percolate_gate_index kind) {
    if (!percolate_percpu_fallback_is_traced()) { return; }
    enum failure reason = INTERRUPTED;
    ptrdiff_t area = percolate_rseq_glibc_offset();
    int registered = percolate_rseq_glibc_size() != 0 && percolate_rseq_field(area + 4) >= 0;
    if (!registered) {
        reason = NOT_REGISTERED;
    } else if (percolate_rseq_field(area + (kind == PERCOLATE_GATE_OF_CPU ? 4 : 24)) != index) {
        reason = ELSEWHERE;
    } else if (percolate_public_gate(index, kind)->state != PERCOLATE_GATE_OPEN) {
        reason = GATE_CLOSED;
    }
    percolate_trace_percpu_fallback(index, (uint64_t)(uintptr_t)address, reason);
}

EXPORTED void percolate_sequence_failed(const void *address, int cpu) {
    announce_failure(address, cpu, PERCOLATE_GATE_OF_CPU);
}

EXPORTED void percolate_mm_cid_sequence_failed(const void *address, int mm_cid) {
    announce_failure(address, mm_cid, PERCOLATE_GATE_OF_MM_CID);
}
