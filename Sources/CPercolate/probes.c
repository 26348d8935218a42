#include <percolate/probes.h>
#include <percolate/rseq.h>
#include <time.h>

void percolate_announce_section_abort(int section) {
    percolate_trace_section_abort(section, percolate_current_cpu());
}

uint64_t percolate_nanoseconds(void) {
    struct timespec now = {0, 0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}
