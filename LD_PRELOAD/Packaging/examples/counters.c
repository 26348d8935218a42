// Counters that many threads add to: per-CPU memory by type, and operations on its fields.
//
//     cc counters.c $(pkg-config --cflags --libs percolate) -pthread -o counters
#include <inttypes.h>
#include <percolate/percpu.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { threads = 8, requests = 100000 };

// What each CPU counts: its parts lie side by side, and no other CPU writes their cache lines.
struct traffic {
    intptr_t requests;
    intptr_t bytes;
};

static struct percpu_pool *pool;
static struct traffic *traffic;
static struct percpu_counter errors;

static void *serve(void *argument) {
    (void)argument;
    for (int request = 0; request < requests; request++) {
        // Both fields belong to one CPU's part, whichever CPU the thread is on by then.
        int cpu = percpu_current(pool->by);
        struct traffic *mine = PERCPU_PART(pool, traffic, cpu);
        PERCPU_OPERATE(pool->by, addv, &mine->requests, 1, cpu);
        PERCPU_OPERATE(pool->by, addv, &mine->bytes, request % 1000, cpu);
        if (request % 1000 == 0) {
            percpu_counter_add(&errors, 1);
        }
    }
    return NULL;
}

int main(void) {
    // By concurrency id: a machine of many CPUs costs no more than its threads do. PERCPU_CPU_ID
    // works as well.
    pool = PERCPU_POOL_OF(struct traffic, PERCPU_MM_CID);
    if (pool == NULL) {
        return 1;
    }
    traffic = PERCPU_ALLOCATE(pool, struct traffic);
    if (traffic == NULL || percpu_counter_create(&errors, pool) != 0) {
        return 1;
    }

    pthread_t servers[threads];
    for (int number = 0; number < threads; number++) {
        if (pthread_create(&servers[number], NULL, serve, NULL) != 0) {
            return 1;
        }
    }
    for (int number = 0; number < threads; number++) {
        pthread_join(servers[number], NULL);
    }

    intptr_t served = 0, bytes = 0;
    PERCPU_FOR_EACH(index, pool) {
        struct traffic *part = PERCPU_PART(pool, traffic, index);
        served += percpu_load(&part->requests);
        bytes += percpu_load(&part->bytes);
    }
    printf("%" PRIdPTR " requests, %" PRIdPTR " bytes, %" PRIdPTR " errors, on at most %d CPUs\n",
           served, bytes, percpu_counter_sum(&errors), percpu_count());

    // Taken from every CPU without a loss, while others might go on.
    intptr_t taken = 0;
    if (percpu_counter_drain(&errors, &taken) != 0) {
        return 1;
    }
    int is_right = served == threads * requests && taken == threads * requests / 1000
                   && percpu_counter_sum(&errors) == 0;
    percpu_counter_destroy(&errors);
    percpu_pool_free(pool, traffic);
    percpu_pool_destroy(pool);
    return is_right ? 0 : 1;
}
