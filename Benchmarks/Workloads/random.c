// Random sizes, random lifetimes, contents written in full (the shape of alloc-test): sizes are spread evenly over their
// logarithm, and the live set is larger than the caches of the processor.
#include "workload.h"

static uint64_t threads, live, operations, bits;

static void *body(void *index) {
    struct random_source source = random_seeded((uintptr_t)index);
    unsigned char **blocks = table(live, sizeof *blocks);
    uint64_t sum = 0;
    for (uint64_t done = 0; done < operations / threads; done++) {
        uint64_t at = random_below(&source, live);
        if (blocks[at] != NULL) {
            sum += blocks[at][0];
            free(blocks[at]);
        }
        uint64_t top = 1ull << random_between(&source, 3, bits);
        size_t size = random_between(&source, top / 2 + 1, top);
        blocks[at] = malloc(size);
        if (blocks[at] == NULL) workload_fail("malloc returned NULL");
        memset(blocks[at], (int)at, size);
    }
    for (uint64_t i = 0; i < live; i++) free(blocks[i]);
    return (void *)(uintptr_t)sum;
}

int main(int argc, char **argv) {
    workload_begin(argc, argv);
    threads = workload_argument("threads", 1);
    live = workload_argument("live", 100000);
    operations = workload_amount("operations", 8000000);
    bits = workload_argument("bits", 10);
    workload_arguments_end();
    if (bits < 3 || bits > 20) workload_fail("bits must be 3 to 20");
    if (threads == 1) body(NULL);
    else run_threads(threads, body);
}
