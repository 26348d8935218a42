// Threads are born and die: each allocates, frees half, and leaves the rest to its parent.
#include "workload.h"

enum { most_blocks = 1000 };
static uint64_t threads, births, count;

struct child {
    uint64_t seed;
    void *left[most_blocks];
};

static void *body(void *argument) {
    struct child *child = argument;
    struct random_source source = random_seeded(child->seed);
    for (uint64_t i = 0; i < count; i++) child->left[i] = allocate_written(random_program_size(&source));
    for (uint64_t i = 0; i < count; i += 2) {
        free(child->left[i]);
        child->left[i] = NULL;
    }
    return NULL;
}

int main(int argc, char **argv) {
    workload_begin(argc, argv);
    threads = workload_argument("threads", 4);
    births = workload_amount("births", 6000);
    count = workload_argument("count", 200);
    workload_arguments_end();
    if (count > most_blocks) workload_fail("count must be at most 1000");
    struct child *children = table(threads, sizeof *children);
    pthread_t *handles = table(threads, sizeof *handles);
    for (uint64_t born = 0; born < births; born += threads) {
        for (uint64_t i = 0; i < threads; i++) {
            children[i].seed = born + i;
            handles[i] = start_thread(body, &children[i]);
        }
        for (uint64_t i = 0; i < threads; i++) {
            pthread_join(handles[i], NULL);
            for (uint64_t j = 0; j < count; j++) free(children[i].left[j]);
        }
    }
}
