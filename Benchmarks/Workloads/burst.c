// A burst, after which the threads park: all allocate `kilobytes` each, free everything, and wait. What stays resident is
// what the allocator keeps for threads that ask for nothing.
#include "workload.h"

static uint64_t threads, kilobytes, rounds, idle;
static pthread_barrier_t step;

static void *body(void *index) {
    struct random_source source = random_seeded((uintptr_t)index);
    uint64_t room = kilobytes * 1024 / 64;
    void **blocks = table(room, sizeof(void *));
    pthread_barrier_wait(&step);  // started
    for (uint64_t round = 0; round < rounds; round++) {
        pthread_barrier_wait(&step);
        uint64_t count = 0;
        for (uint64_t bytes = 0; bytes < kilobytes * 1024 && count < room; count++) {
            size_t size = random_program_size(&source);
            blocks[count] = allocate_written(size);
            bytes += size;
        }
        pthread_barrier_wait(&step);  // peak
        for (uint64_t i = 0; i < count; i++) free(blocks[i]);
        pthread_barrier_wait(&step);  // freed
    }
    munmap(blocks, room * sizeof(void *));
    pthread_barrier_wait(&step);  // parked until the idle time is over
    pthread_barrier_wait(&step);
    return NULL;
}

int main(int argc, char **argv) {
    workload_begin(argc, argv);
    threads = workload_argument("threads", 64);
    kilobytes = workload_argument("kilobytes", 1024);
    rounds = workload_amount("rounds", 2);
    idle = workload_argument("idle", 10);
    workload_arguments_end();
    pthread_barrier_init(&step, NULL, (unsigned)threads + 1);
    pthread_t *handles = table(threads, sizeof *handles);
    for (uint64_t i = 0; i < threads; i++) handles[i] = start_thread(body, (void *)(uintptr_t)i);
    pthread_barrier_wait(&step);
    sleep_seconds(0.2);
    mark("start");
    double active = 0;
    for (uint64_t round = 0; round < rounds; round++) {
        double from = workload_now();
        pthread_barrier_wait(&step);
        pthread_barrier_wait(&step);
        active += workload_now() - from;
        if (round + 1 == rounds) mark("peak");
        from = workload_now();
        pthread_barrier_wait(&step);
        active += workload_now() - from;
    }
    pthread_barrier_wait(&step);
    mark("freed");
    report_active(active);
    sleep_seconds(2);
    mark("idle 2 s");
    if (idle > 2) {
        sleep_seconds((double)(idle - 2));
        mark("idle 10 s");
    }
    pthread_barrier_wait(&step);
    for (uint64_t i = 0; i < threads; i++) pthread_join(handles[i], NULL);
}
