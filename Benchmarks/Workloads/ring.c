// Random sizes in a ring: each step frees the oldest block and allocates one of another size.
#include "workload.h"

static uint64_t threads, slots, operations, least, most;

static void *body(void *index) {
    struct random_source source = random_seeded((uintptr_t)index);
    void **ring = table(slots, sizeof(void *));
    uint64_t at = 0;
    for (uint64_t done = 0; done < operations / threads; done++) {
        free(ring[at]);
        ring[at] = allocate_written(random_between(&source, least, most));
        at = at + 1 == slots ? 0 : at + 1;
    }
    for (uint64_t i = 0; i < slots; i++) free(ring[i]);
    return NULL;
}

int main(int argc, char **argv) {
    workload_begin(argc, argv);
    threads = workload_argument("threads", 1);
    slots = workload_argument("slots", 1000);
    operations = workload_amount("operations", 60000000);
    least = workload_argument("least", 16);
    most = workload_argument("most", 1024);
    workload_arguments_end();
    if (threads == 1) body(NULL);
    else run_threads(threads, body);
}
