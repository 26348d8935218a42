// Many large blocks at once: each thread allocates `count` of them, of one page that is written, and frees them in
// order, backwards, or at random. What a free costs must not grow with the number of free runs around it.
#include "workload.h"

enum order { forwards, backwards, at_random };
static uint64_t threads, count, size, order;

static void *run(void *argument) {
    struct random_source source = random_seeded((uintptr_t)argument);
    uint64_t own = count / threads;
    char **blocks = table(own, sizeof(char *));
    for (uint64_t i = 0; i < own; i++) {
        blocks[i] = malloc(size);
        if (blocks[i] == NULL) workload_fail("malloc returned NULL");
        blocks[i][0] = 1;
    }
    for (uint64_t left = own; left > 0; left--) {
        uint64_t at = order == forwards ? own - left : order == backwards ? left - 1 : random_below(&source, left);
        free(blocks[at]);
        if (order == at_random) blocks[at] = blocks[left - 1];
    }
    munmap(blocks, own * sizeof(char *));
    return NULL;
}

int main(int argc, char **argv) {
    workload_begin(argc, argv);
    threads = workload_argument("threads", 1);
    count = workload_amount("count", 50000);
    size = workload_argument("size", 300000);
    order = workload_argument("order", at_random);
    workload_arguments_end();
    run_threads(threads, run);
}
