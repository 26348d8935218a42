// A big free: `megabytes` of small blocks, all freed, in a program with one thread that then asks for nothing.
#include "workload.h"

int main(int argc, char **argv) {
    workload_begin(argc, argv);
    uint64_t megabytes = workload_amount("megabytes", 300);
    uint64_t idle = workload_argument("idle", 10);
    workload_arguments_end();
    uint64_t room = (megabytes << 20) / 16;
    void **blocks = table(room, sizeof(void *));
    struct random_source source = random_seeded(5);
    mark("start");
    double from = workload_now();
    uint64_t count = 0;
    for (uint64_t bytes = 0; bytes < megabytes << 20; count++) {
        size_t size = random_between(&source, 16, 256);
        blocks[count] = allocate_written(size);
        bytes += size;
    }
    double active = workload_now() - from;
    mark("peak");
    from = workload_now();
    for (uint64_t i = 0; i < count; i++) free(blocks[i]);
    active += workload_now() - from;
    munmap(blocks, room * sizeof(void *));
    mark("freed");
    report_active(active);
    sleep_seconds(2);
    mark("idle 2 s");
    if (idle > 2) {
        sleep_seconds((double)(idle - 2));
        mark("idle 10 s");
    }
}
