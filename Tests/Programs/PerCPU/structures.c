// The structures of <percolate/percpu.h>, hammered by threads, and counted at the end.
//
//     structures STRUCTURE INDEX OPERATIONS THREADS [KEY=VALUE...]
//
// STRUCTURE is counter, lifo, ring, batch or bytes; INDEX is cpu_id or mm_cid. OPERATIONS counts
// over all threads. One in ten is a remote one, for an index drawn by lot. Keys:
//
//     remote=N     so many in a hundred are remote
//     delay=STEP   before that step of each sequence, wait
//     turns=N      this many turns of an empty loop
//     fence=ERRNO  membarrier answers so and does nothing; 0 looks like success
//
// Items have numbers. Whoever takes one finds it free and marks it; at the end each is there once.
// Ends with 0 when every operation took effect exactly once, else with 1.
#define _GNU_SOURCE
#include "../Vectors/delays.h"
#include "../Vectors/without_calls.h"
#include "moves.h"

#include <pthread.h>
#include <signal.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static const char *structure;
static int thread_count;
static long operations, remote = 10;

static pthread_barrier_t start_line;

static void *work(void *argument) {
    pthread_barrier_wait(&start_line);
    random_state = (uintptr_t)argument * 77777 + 1;
    // A few errors are enough.
    for (long done = 0; done < operations / thread_count && atomic_load(&wrong) < 100; done++) {
        bool is_remote = random_below(100) < remote;
        if (structure[0] == 'c') {
            count(is_remote);
        } else if (structure[0] == 'l') {
            if (is_remote && random_below(8) == 0) {
                move_list();
            } else {
                move_node(is_remote);
            }
        } else if (structure[0] == 'r') {
            move_pointer(is_remote);
        } else if (structure[1] == 'a') {
            move_batch(is_remote);
        } else {
            move_record(is_remote);
        }
    }
    return NULL;
}

static void see_node(struct percpu_lifo_node *node, void *context) {
    (void)context;
    take_out(((struct item *)node)->number);
}

static void see_pointer(void *pointer, void *context) {
    (void)context;
    take_out(((struct item *)pointer)->number);
}

static void see_record(const void *record, size_t length, int index, void *context) {
    (void)index, (void)context;
    take_out(number_of(record, length));
}

static void check(void) {
    if (structure[0] == 'c') {
        intptr_t sum = 0, expected = operations / thread_count * thread_count;
        expect(percpu_counter_drain(&counter, &sum));
        if (sum + drained != expected) {
            complain("additions lost:", expected - sum - drained);
        }
        if (percpu_counter_sum(&counter) != 0) {
            complain("left after draining:", percpu_counter_sum(&counter));
        }
        return;
    }
    if (structure[0] == 'l') {
        percpu_lifo_drain(&lifo, see_node, NULL);
    }
    if (structure[0] == 'r' || structure[1] == 'a') {
        percpu_ring_drain(&ring, see_pointer, NULL);
    }
    if (structure[1] == 'y') {
        percpu_bytes_drain(&bytes, see_record, NULL);
    }
    for (long number = 0; number < ITEMS; number++) {
        if (!atomic_load(&is_out[number])) {
            complain("lost item", number);
        }
    }
}

static long value(const char *argument, const char *key, long otherwise) {
    size_t length = strlen(key);
    return strncmp(argument, key, length) == 0 && argument[length] == '='
               ? atol(argument + length + 1)
               : otherwise;
}

static void give_up(int signal) {
    (void)signal;
    static const char line[] = "no end: WRONG\n";
    _exit(write(1, line, sizeof line - 1) > 0 ? 1 : 2);
}

int main(int argc, char **argv) {
    if (argc < 5) {
        return 2;
    }
    structure = argv[1];
    enum percpu_index by = argv[2][0] == 'm' ? PERCPU_MM_CID : PERCPU_CPU_ID;
    operations = atol(argv[3]);
    thread_count = atoi(argv[4]);
    cpu_count = percpu_count();
    long delay = 0, turns = 0, fence = -1;
    for (int index = 5; index < argc; index++) {
        remote = value(argv[index], "remote", remote);
        delay = value(argv[index], "delay", delay);
        turns = value(argv[index], "turns", turns);
        fence = value(argv[index], "fence", fence);
    }
    // Rings that are full, and wrap around, all the time.
    size_t ring_size = structure[1] == 'y' ? percpu_bytes_size(32768) : percpu_ring_size(ITEMS);
    pool = percpu_pool_create(structure[0] == 'r' || structure[0] == 'b' ? ring_size : 8, 0, by);
    if (pool == NULL) {
        abort();
    }
    expect(structure[0] == 'c'   ? percpu_counter_create(&counter, pool)
           : structure[0] == 'l' ? percpu_lifo_create(&lifo, pool)
           : structure[1] == 'y' ? percpu_bytes_create(&bytes, pool)
                                 : percpu_ring_create(&ring, pool));
    for (long number = 0; structure[0] != 'c' && number < ITEMS; number++) {
        items[number].number = number;
        if (structure[0] == 'l') {
            expect(percpu_lifo_push_on(&lifo, &items[number].node, by_lot()));
        } else if (structure[1] == 'y') {
            put_record(number, true);
        } else {
            put_pointer(&items[number], true);
        }
    }
    // The first vector opens the gates, before fences are taken away.
    if (structure[0] == 'c') {
        expect(percpu_counter_add_on(&counter, 0, 0));
    }
    if (fence >= 0) {
        answer_fences_with((int)fence);
        // A structure that lost its items may be looked through for ever.
        signal(SIGALRM, give_up);
        alarm(10);
    }
    section_delay[delay] = (uint32_t)turns;
    pthread_t threads[64];
    pthread_barrier_init(&start_line, NULL, (unsigned)thread_count);
    for (long index = 0; index < thread_count; index++) {
        pthread_create(&threads[index], NULL, work, (void *)(index + 1));
    }
    for (int index = 0; index < thread_count; index++) {
        pthread_join(threads[index], NULL);
    }
    section_delay[delay] = 0;
    check();
    percpu_pool_destroy(pool);
    printf("%s by %s, %ld operations: %s\n", argv[1], argv[2], operations, wrong ? "WRONG" : "ok");
    return wrong ? 1 : 0;
}
