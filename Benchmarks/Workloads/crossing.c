// Crossing: every thread puts its blocks into random places of one shared table, and frees whatever
// it finds there, which mostly another thread allocated. Threads pause now and then, so that they
// meet in ever other combinations.
#include "workload.h"

static uint64_t threads, slots, operations, most, work, pause_microseconds;
static void **shared;

static void *body(void *index) {
    struct random_source source = random_seeded((uintptr_t)index);
    for (uint64_t done = 0; done < operations / threads; done++) {
        void *block = allocate_written(random_between(&source, 16, most));
        free(__atomic_exchange_n(&shared[random_below(&source, slots)], block, __ATOMIC_ACQ_REL));
        if (done % work == work - 1) sleep_seconds((double)pause_microseconds * 1e-6);
    }
    return NULL;
}

int main(int argc, char **argv) {
    workload_begin(argc, argv);
    threads = workload_argument("threads", 4);
    slots = workload_argument("slots", 20000);
    operations = workload_amount("operations", 16000000);
    most = workload_argument("most", 1024);
    work = workload_argument("work", 20000);
    pause_microseconds = workload_argument("pause", 200);
    workload_arguments_end();
    if (work == 0) workload_fail("work must not be 0");
    shared = table(slots, sizeof(void *));
    run_threads(threads, body);
    for (uint64_t i = 0; i < slots; i++) free(shared[i]);
}
