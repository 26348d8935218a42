// A server that ages: each thread replaces random blocks of its table, then dies and hands the table to a new thread,
// which frees what its predecessors allocated. Many tables, so blocks of all ages lie side by side.
#include "workload.h"

static uint64_t threads, slots, operations, generations, most;

struct session {
    void **blocks;
    struct random_source source;
    uint64_t generation;
};

static void *serve(void *argument) {
    struct session *session = argument;
    for (uint64_t done = 0; done < operations / threads / generations; done++) {
        uint64_t at = random_below(&session->source, slots);
        free(session->blocks[at]);
        session->blocks[at] = allocate_written(random_between(&session->source, 8, most));
    }
    return NULL;
}

int main(int argc, char **argv) {
    workload_begin(argc, argv);
    threads = workload_argument("threads", 8);
    slots = workload_argument("slots", 5000);
    operations = workload_amount("operations", 30000000);
    generations = workload_argument("generations", 20);
    most = workload_argument("most", 1000);
    workload_arguments_end();
    struct session *sessions = table(threads, sizeof *sessions);
    pthread_t *handles = table(threads, sizeof *handles);
    for (uint64_t i = 0; i < threads; i++) {
        sessions[i].blocks = table(slots, sizeof(void *));
        sessions[i].source = random_seeded(i);
    }
    for (uint64_t generation = 0; generation < generations; generation++) {
        for (uint64_t i = 0; i < threads; i++) handles[i] = start_thread(serve, &sessions[i]);
        for (uint64_t i = 0; i < threads; i++) pthread_join(handles[i], NULL);
    }
    for (uint64_t i = 0; i < threads; i++) {
        for (uint64_t j = 0; j < slots; j++) free(sessions[i].blocks[j]);
    }
}
