// Churn: every thread keeps a set of live blocks of program-like sizes and replaces them at random.
#include "workload.h"

static uint64_t threads, live, operations;

static void *body(void *index) {
    struct random_source source = random_seeded((uintptr_t)index);
    void **blocks = table(live, sizeof(void *));
    for (uint64_t done = 0; done < operations / threads; done++) {
        uint64_t at = random_below(&source, live);
        free(blocks[at]);
        blocks[at] = allocate_written(random_program_size(&source));
    }
    for (uint64_t i = 0; i < live; i++) free(blocks[i]);
    munmap(blocks, live * sizeof(void *));
    return NULL;
}

int main(int argc, char **argv) {
    workload_begin(argc, argv);
    threads = workload_argument("threads", 2);
    live = workload_argument("live", 1000);
    operations = workload_amount("operations", 80000000);
    workload_arguments_end();
    run_threads(threads, body);
}
