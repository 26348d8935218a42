// Readers use what a writer may have taken out of sight; writers wait for them before they spoil
// it.
//
//     epoch INDEX ROUNDS READERS [ERRNO]      where membarrier(2) answers by that error from the
//     start
//
// Compiled with WITHOUT_WAITING writers do not wait, and readers must see spoiled nodes.
#include "../Vectors/without_calls.h"

#include <percolate/percpu.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#define NODES 8

static struct percpu_epoch epoch;
static atomic_long nodes[NODES];
static _Atomic(atomic_long *) shared = &nodes[0];
static pthread_mutex_t writers = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool stop;
static atomic_long wrong, reads;
static int cpu_count, rounds;

static int await_readers(void) {
#ifdef WITHOUT_WAITING
    sched_yield();
    return 0;
#else
    return percpu_epoch_synchronize(&epoch);
#endif
}

static void *read_nodes(void *argument) {
    unsigned turn = (unsigned)(uintptr_t)argument;
    while (!atomic_load(&stop)) {
        turn = turn * 1664525u + 1013904223u;
        bool is_remote = turn >> 28 == 0;
        int index = (int)(turn >> 8) % cpu_count;
        int phase = is_remote ? percpu_epoch_enter_on(&epoch, index) : percpu_epoch_enter(&epoch);
        if (phase < 0) {
            abort();
        }
        // Inside twice, now and then.
        int again = turn >> 26 & 1 ? percpu_epoch_enter(&epoch) : -1;
        atomic_long *node = atomic_load_explicit(&shared, memory_order_acquire);
        for (int look = 0; look < 2000; look++) {
            if (atomic_load_explicit(node, memory_order_relaxed) != 1) {
                atomic_fetch_add(&wrong, 1);
                break;
            }
        }
        if (again >= 0 && percpu_epoch_leave(&epoch, again) != 0) {
            abort();
        }
        if ((is_remote ? percpu_epoch_leave_on(&epoch, phase, cpu_count - 1)
                       : percpu_epoch_leave(&epoch, phase))
            != 0) {
            abort();
        }
        atomic_fetch_add_explicit(&reads, 1, memory_order_relaxed);
    }
    return NULL;
}

static void *write_nodes(void *argument) {
    (void)argument;
    while (atomic_load(&reads) < 20) {
        sched_yield();
    }
    for (int round = 0; round < rounds; round++) {
        pthread_mutex_lock(&writers);
        // Spoiled nodes stay so for as long as they can.
        static int next;
        do {
            next = (next + 1) % NODES;
        } while (atomic_load(&nodes[next]) != 0);
        atomic_store(&nodes[next], 1);
        atomic_long *old = atomic_exchange(&shared, &nodes[next]);
        pthread_mutex_unlock(&writers);
        if (await_readers() != 0) {
            printf("an epoch that cannot be waited for: %s\n", strerror(errno));
            exit(3);
        }
        atomic_store(old, 0);
    }
    return NULL;
}

int main(int argc, char **argv) {
    if (argc < 4) {
        return 2;
    }
    enum percpu_index by = argv[1][0] == 'm' ? PERCPU_MM_CID : PERCPU_CPU_ID;
    rounds = atoi(argv[2]);
    int readers = atoi(argv[3]);
    if (argc > 4) {
        answer_call_with(SYS_membarrier, atoi(argv[4]));
    }
    struct percpu_pool *pool = PERCPU_POOL_OF(struct percpu_epoch_part, by);
    if (pool == NULL || percpu_epoch_create(&epoch, pool) != 0) {
        abort();
    }
    cpu_count = percpu_count();
    atomic_store(&nodes[0], 1);
    pthread_t threads[64], writing[2];
    for (long number = 0; number < readers; number++) {
        pthread_create(&threads[number], NULL, read_nodes, (void *)number);
    }
    for (int number = 0; number < 2; number++) {
        pthread_create(&writing[number], NULL, write_nodes, NULL);
    }
    for (int number = 0; number < 2; number++) {
        pthread_join(writing[number], NULL);
    }
    atomic_store(&stop, true);
    for (int number = 0; number < readers; number++) {
        pthread_join(threads[number], NULL);
    }
    for (int phase = 0; phase < 2; phase++) {
        wrong += percpu_epoch_readers(&epoch, phase) != 0;
    }
    percpu_epoch_destroy(&epoch);
    percpu_pool_destroy(pool);
    printf("%d rounds, %ld reads: %s\n", rounds, (long)reads, wrong || !reads ? "WRONG" : "ok");
    return wrong || !reads ? 1 : 0;
}
