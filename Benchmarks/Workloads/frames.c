// Frame buffers: two large buffers are allocated, written and freed, sixty times a second. Who gives them back to the
// kernel after each frame pays a page fault for each page of the next.
#include "workload.h"

int main(int argc, char **argv) {
    workload_begin(argc, argv);
    uint64_t bytes = workload_argument("bytes", 40000000);
    uint64_t frames = workload_amount("frames", 100);
    workload_arguments_end();
    double active = 0;
    for (uint64_t frame = 0; frame < frames; frame++) {
        double from = workload_now();
        void *buffers[2] = {allocate_written(bytes), allocate_written(bytes)};
        for (int i = 0; i < 2; i++) free(buffers[i]);
        active += workload_now() - from;
        sleep_seconds(0.016);
    }
    report_active(active);
}
