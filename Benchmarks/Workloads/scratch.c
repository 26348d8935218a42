// Cache scratching: neighbours allocated by one thread go to different threads, which free them, allocate again and write
// often. An allocator that hands a thread the line of its neighbour makes the two threads fight for it.
#include "workload.h"

static uint64_t threads, size, operations, writes;
static void **first;

static void *body(void *argument) {
    uint64_t index = (uintptr_t)argument;
    free(first[index]);
    for (uint64_t done = 0; done < operations / threads; done++) {
        volatile char *block = malloc(size);
        for (uint64_t i = 0; i < writes; i++) {
            for (uint64_t j = 0; j < size; j++) block[j] = (char)(block[j] + 1);
        }
        free((void *)block);
    }
    return NULL;
}

int main(int argc, char **argv) {
    workload_begin(argc, argv);
    threads = workload_argument("threads", 2);
    size = workload_argument("size", 8);
    operations = workload_amount("operations", 3000000);
    writes = workload_argument("writes", 50);
    workload_arguments_end();
    first = table(threads, sizeof *first);
    for (uint64_t i = 0; i < threads; i++) first[i] = malloc(size);
    run_threads(threads, body);
}
