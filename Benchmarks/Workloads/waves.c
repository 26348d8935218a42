// One thread fills its heap and empties it, some times, then asks for nothing, then does light work: a program whose
// load comes in waves. What stays resident afterwards is the question.
#include "workload.h"

static void light_work(double seconds, struct random_source *source) {
    for (double from = workload_now(); workload_now() - from < seconds; sleep_seconds(0.01)) {
        for (int i = 0; i < 10; i++) free(allocate_written(random_program_size(source)));
    }
}

int main(int argc, char **argv) {
    workload_begin(argc, argv);
    uint64_t size = workload_argument("size", 0);
    uint64_t megabytes = workload_amount("megabytes", 400);
    uint64_t waves = workload_argument("waves", 4);
    uint64_t idle = workload_argument("idle", 5);
    workload_arguments_end();
    uint64_t room = (megabytes << 20) / (size > 16 ? size : 16) + 1;
    void **blocks = table(room, sizeof(void *));
    struct random_source source = random_seeded(9);
    double from = workload_now();
    for (uint64_t wave = 0; wave < waves; wave++) {
        uint64_t count = 0;
        for (uint64_t bytes = 0; bytes < megabytes << 20 && count < room; count++) {
            size_t own = size > 0 ? size : random_program_size(&source);
            blocks[count] = allocate_written(own);
            bytes += own;
        }
        if (wave + 1 == waves) mark("peak");
        for (uint64_t i = 0; i < count; i++) free(blocks[i]);
    }
    report_active(workload_now() - from);
    munmap(blocks, room * sizeof(void *));
    mark("last wave's end");
    sleep_seconds((double)idle);
    mark("idle");
    light_work((double)idle * 3, &source);
    mark("light work");
}
