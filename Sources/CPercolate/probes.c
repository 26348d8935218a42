#include <percolate/probes.h>
#include <percolate/rseq.h>
#include <time.h>

#ifdef PERCOLATE_HAS_PROBES

#define _SDT_HAS_SEMAPHORES 1
// Arguments in registers or constants, never in memory: a sample of the registers holds them all, and every tracer can read them.
#define STAP_SDT_ARG_CONSTRAINT nr
#define PERCOLATE_SEMAPHORE(name)                                                                                      \
    unsigned short percolate_##name##_semaphore __attribute__((section(".probes"), used, visibility("hidden")))

PERCOLATE_SEMAPHORE(vec_begin);
PERCOLATE_SEMAPHORE(op);
PERCOLATE_SEMAPHORE(vec_end);
PERCOLATE_SEMAPHORE(move);
PERCOLATE_SEMAPHORE(gate_close);
PERCOLATE_SEMAPHORE(gate_open);
PERCOLATE_SEMAPHORE(percpu_fallback);
PERCOLATE_SEMAPHORE(section_abort);
PERCOLATE_SEMAPHORE(refill);
PERCOLATE_SEMAPHORE(drain);
PERCOLATE_SEMAPHORE(steal);
PERCOLATE_SEMAPHORE(span_allocate);
PERCOLATE_SEMAPHORE(span_free);
PERCOLATE_SEMAPHORE(release);

#include <sys/sdt.h>

// The symbol that tracers correct addresses by. Only notes refer to it, which the linker's garbage collection does not follow;
// the section of the semaphores is kept, and so what it refers to.
extern char percolate_probe_base __asm__("_.stapsdt.base") __attribute__((weak, visibility("hidden")));
static char *kept_base __attribute__((section(".probes"), used)) = &percolate_probe_base;

#else

#define STAP_PROBE2(...)
#define STAP_PROBE3(...)
#define STAP_PROBE4(...)
#define STAP_PROBE8(...)

#endif

void percolate_trace_vec_begin(uint64_t vector, int count, int cpu, int origin) {
    STAP_PROBE4(percolate, vec_begin, vector, count, cpu, origin);
}

void percolate_trace_op(
    int index, int op, uint32_t len, uint64_t first, uint64_t second, int outcome, int cpu, uint64_t value) {
    STAP_PROBE8(percolate, op, index, op, len, first, second, outcome, cpu, value);
}

void percolate_trace_vec_end(int cpu, long result, uint64_t nanoseconds) {
    STAP_PROBE3(percolate, vec_end, cpu, result, nanoseconds);
}

void percolate_trace_move(int index, uint64_t header, uint64_t count) {
    STAP_PROBE3(percolate, move, index, header, count);
}

void percolate_trace_gate_close(int index, uint64_t gate, int how, uint64_t nanoseconds) {
    STAP_PROBE4(percolate, gate_close, index, gate, how, nanoseconds);
}

void percolate_trace_gate_open(int index, uint64_t gate) { STAP_PROBE2(percolate, gate_open, index, gate); }

void percolate_trace_percpu_fallback(int cpu, uint64_t address, int reason) {
    STAP_PROBE3(percolate, percpu_fallback, cpu, address, reason);
}

void percolate_trace_section_abort(int section) {
    int cpu = percolate_current_cpu();
    STAP_PROBE2(percolate, section_abort, section, cpu);
}

void percolate_trace_refill(int index, uint64_t block_size, uint64_t count) {
    STAP_PROBE3(percolate, refill, index, block_size, count);
}

void percolate_trace_drain(int index, uint64_t block_size, uint64_t count) {
    STAP_PROBE3(percolate, drain, index, block_size, count);
}

void percolate_trace_steal(int index, int victim, uint64_t count) {
    STAP_PROBE3(percolate, steal, index, victim, count);
}

void percolate_trace_span_allocate(uint64_t address, uint64_t pages, uint64_t block_size) {
    STAP_PROBE3(percolate, span_allocate, address, pages, block_size);
}

void percolate_trace_span_free(uint64_t address, uint64_t pages, uint64_t block_size) {
    STAP_PROBE3(percolate, span_free, address, pages, block_size);
}

void percolate_trace_release(uint64_t address, uint64_t bytes) { STAP_PROBE2(percolate, release, address, bytes); }

uint64_t percolate_nanoseconds(void) {
    struct timespec now = {0, 0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}
