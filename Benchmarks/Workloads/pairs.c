// Fixed pairs: allocate `depth` blocks of one size, free them last first. Depth 1 is the bare malloc and free pair.
#include "workload.h"

static uint64_t threads, size, operations, depth;

static void *body(void *unused) {
    (void)unused;
    char *blocks[256];
    for (uint64_t done = 0; done < operations / threads; done += depth) {
        for (uint64_t i = 0; i < depth; i++) {
            blocks[i] = malloc(size);
            *(volatile char *)blocks[i] = 1;
        }
        for (uint64_t i = depth; i > 0; i--) free(blocks[i - 1]);
    }
    return NULL;
}

int main(int argc, char **argv) {
    workload_begin(argc, argv);
    threads = workload_argument("threads", 1);
    size = workload_argument("size", 64);
    operations = workload_amount("operations", 100000000);
    depth = workload_argument("depth", 1);
    workload_arguments_end();
    if (depth == 0 || depth > 256) workload_fail("depth must be 1 to 256");
    if (threads == 1) body(NULL);
    else run_threads(threads, body);
}
