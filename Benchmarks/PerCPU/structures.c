// Per-CPU structures beside an atomic one, atomic ones for each CPU ("sharded"), and one under a
// mutex.
//
//     structures [ROUNDS]
//
// Rows are an operation, where its data is, and a number of threads. All contestants of a row are
// measured in turn, round by round, so that whatever slows the machine slows all of them: the cells
// are medians of the ratio within a round, in brackets its quartiles. Remote: on the data of
// another CPU than the one that the thread runs on.
#define _GNU_SOURCE
#include "measuring.h"
#include "rivals.h"

#include <percolate/percpu.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    most_threads = 64,
    most_rounds = 1001,
    batch = 64,
    record = 1000,
    ring_places = 1024,
    ring_bytes = 1 << 17
};

static int cpus;

static struct percpu_counter counters[2];
static struct percpu_lifo lifo;
static struct percpu_ring ring;
static struct percpu_bytes bytes;

static void expect(int condition, const char *what) {
    if (condition) return;
    fprintf(stderr, "%s did not succeed\n", what);
    exit(1);
}

static int here(void) { return percpu_current_cpu(); }
static int other(void) { return (percpu_current_cpu() + 1) % cpus; }

// MARK: Operations, `count` times by one thread

#define FOR(count) for (; (count) > 0; (count)--)

static void count_percpu(long count) { FOR(count) percpu_counter_add(&counters[0], 1); }
static void count_mm_cid(long count) { FOR(count) percpu_counter_add(&counters[1], 1); }
static void count_percpu_remote(long count) {
    FOR(count) percpu_counter_add_on(&counters[0], 1, other());
}
static void count_mm_cid_remote(long count) {
    FOR(count) percpu_counter_add_on(&counters[1], 1, (percpu_current_mm_cid() + 1) % cpus);
}
static void count_atomic(long count) { FOR(count) rival_add(0); }
static void count_sharded(long count) { FOR(count) rival_add(here()); }
static void count_sharded_remote(long count) { FOR(count) rival_add(other()); }
static void count_mutex(long count) { FOR(count) rival_locked_add(); }

// A push and a pop of the same thread. What it pops may be another thread's.
static void list_percpu(long count) {
    struct percpu_lifo_node *node = malloc(sizeof *node);
    FOR(count) {
        percpu_lifo_push(&lifo, node);
        while ((node = percpu_lifo_pop_any(&lifo)) == NULL) {}
    }
    free(node);
}
static void list_percpu_remote(long count) {
    struct percpu_lifo_node *node = malloc(sizeof *node);
    FOR(count) {
        percpu_lifo_push_on(&lifo, node, other());
        if ((node = percpu_lifo_pop_on(&lifo, other())) == NULL) {
            while ((node = percpu_lifo_pop_any(&lifo)) == NULL) {}
        }
    }
    free(node);
}
static void list_rival(long count, void (*push)(struct rival_node *),
                       struct rival_node *(*pop)(void)) {
    struct rival_node *node = malloc(sizeof *node);
    FOR(count) {
        push(node);
        while ((node = pop()) == NULL) {}
    }
    free(node);
}
static void push_atomic(struct rival_node *node) { rival_push(0, node); }
static struct rival_node *pop_atomic(void) { return rival_pop(0); }
static struct rival_node *pop_anywhere(int first) {
    for (int step = 0; step < cpus; step++) {
        struct rival_node *node = rival_pop((first + step) % cpus);
        if (node) return node;
    }
    return NULL;
}
static void push_sharded(struct rival_node *node) { rival_push(here(), node); }
static struct rival_node *pop_sharded(void) { return pop_anywhere(here()); }
static void push_sharded_remote(struct rival_node *node) { rival_push(other(), node); }
static struct rival_node *pop_sharded_remote(void) { return pop_anywhere(other()); }
static void list_atomic(long count) { list_rival(count, push_atomic, pop_atomic); }
static void list_sharded(long count) { list_rival(count, push_sharded, pop_sharded); }
static void list_sharded_remote(long count) {
    list_rival(count, push_sharded_remote, pop_sharded_remote);
}
static void list_mutex(long count) { list_rival(count, rival_locked_push, rival_locked_pop); }

// 64 pointers put, and 64 taken.
static void *pointers[batch];

static void batch_percpu(long count) {
    void *taken[batch];
    FOR(count) {
        percpu_ring_put_many(&ring, pointers, batch);
        percpu_ring_take_many(&ring, taken, batch);
    }
}
static void batch_percpu_remote(long count) {
    void *taken[batch];
    FOR(count) {
        intptr_t done;
        int index = other();
        percpu_ring_try_put(&ring, pointers, batch, &done, index, PERCPU_REMOTE);
        percpu_ring_take_many_on(&ring, taken, batch, index);
    }
}
static void batch_atomic(long count) { FOR(count) rival_move(0, pointers, batch); }
static void batch_sharded(long count) { FOR(count) rival_move(here(), pointers, batch); }
static void batch_sharded_remote(long count) { FOR(count) rival_move(other(), pointers, batch); }
static void batch_mutex(long count) { FOR(count) rival_locked_move(0, pointers, batch); }

// A record of 1000 bytes put, and one taken. Copies have no atomic rival: sharded means a mutex for
// each CPU.
static char text[record];

static void record_percpu(long count) {
    char taken[record];
    FOR(count) {
        percpu_bytes_put(&bytes, text, record);
        percpu_bytes_take(&bytes, taken, record);
    }
}
static void record_percpu_remote(long count) {
    char taken[record];
    FOR(count) {
        int index = other();
        percpu_bytes_put_on(&bytes, text, record, index);
        percpu_bytes_take_on(&bytes, taken, record, index);
    }
}
static void record_sharded(long count) {
    FOR(count) rival_locked_move_record(here(), text, record);
}
static void record_sharded_remote(long count) {
    FOR(count) rival_locked_move_record(other(), text, record);
}
static void record_mutex(long count) { FOR(count) rival_locked_move_record(0, text, record); }

// MARK: Rows

enum { contestants = 5 };
static const char *const names[contestants] = {"per CPU", "per mm_cid", "atomic", "sharded",
                                               "mutex"};

static const struct row {
    const char *name;
    operation *run[contestants];
} rows[] = {
    {"add 1", {count_percpu, count_mm_cid, count_atomic, count_sharded, count_mutex}},
    {"add 1, remote",
     {count_percpu_remote, count_mm_cid_remote, count_atomic, count_sharded_remote, count_mutex}},
    {"push, pop", {list_percpu, NULL, list_atomic, list_sharded, list_mutex}},
    {"push, pop, remote", {list_percpu_remote, NULL, list_atomic, list_sharded_remote, list_mutex}},
    {"64 pointers", {batch_percpu, NULL, batch_atomic, batch_sharded, batch_mutex}},
    {"64 pointers, remote",
     {batch_percpu_remote, NULL, batch_atomic, batch_sharded_remote, batch_mutex}},
    {"1000 bytes", {record_percpu, NULL, NULL, record_sharded, record_mutex}},
    {"1000 bytes, remote", {record_percpu_remote, NULL, NULL, record_sharded_remote, record_mutex}},
};

// MARK: Measuring and printing

static int by_size(const void *left, const void *right) {
    double difference = *(const double *)left - *(const double *)right;
    return difference < 0 ? -1 : difference > 0;
}

static void print_cell(double *values, int rounds) {
    qsort(values, (size_t)rounds, sizeof *values, by_size);
    char cell[64];
    snprintf(cell, sizeof cell, "%.2f (%.2f-%.2f)", values[rounds / 2], values[rounds / 4],
             values[rounds * 3 / 4]);
    printf(" | %18s", cell);
}

static void measure_row(const struct row *row, int threads, int rounds) {
    static double times[contestants][most_rounds], ratios[most_rounds];
    // Some ten microseconds at a time, for some milliseconds.
    long at_a_time = strstr(row->name, "remote") ? 4 : 100,
         window = threads > 8 ? 20000000 : 5000000;
    for (int which = 0; which < contestants; which++) {
        if (row->run[which]) measure(row->run[which], at_a_time, window);
    }
    for (int round = 0; round < rounds; round++) {
        for (int which = 0; which < contestants; which++) {
            if (row->run[which]) times[which][round] = measure(row->run[which], at_a_time, window);
        }
    }
    for (int which = 1; which < contestants; which++) {
        for (int round = 0; round < rounds; round++)
            ratios[round] = times[0][round] / times[which][round];
        if (which == 1) {
            memcpy(ratios, times[0], sizeof ratios);
            qsort(ratios, (size_t)rounds, sizeof *ratios, by_size);
            printf("%-20s | %7d | %10.1f", row->name, threads, ratios[rounds / 2]);
            for (int round = 0; round < rounds; round++)
                ratios[round] = times[0][round] / times[1][round];
        }
        if (row->run[which]) {
            print_cell(ratios, rounds);
        } else {
            printf(" | %18s", "-");
        }
    }
    printf("\n");
    fflush(stdout);
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 41;
    expect(rounds >= 4 && rounds <= most_rounds, "ROUNDS between 4 and 1001");
    cpus = percpu_count();
    rival_start(cpus, ring_places, ring_bytes);
    struct percpu_pool *words = percpu_pool_create(sizeof(intptr_t), 0, PERCPU_CPU_ID);
    struct percpu_pool *ids = percpu_pool_create(sizeof(intptr_t), 0, PERCPU_MM_CID);
    struct percpu_pool *rings = percpu_pool_create(percpu_ring_size(ring_places), 0, PERCPU_CPU_ID);
    struct percpu_pool *records =
        percpu_pool_create(percpu_bytes_size(ring_bytes), 2 * ring_bytes, PERCPU_CPU_ID);
    expect(words && ids && rings && records, "a pool");
    expect(percpu_counter_create(&counters[0], words) == 0, "a counter");
    expect(percpu_counter_create(&counters[1], ids) == 0, "a counter by concurrency id");
    expect(percpu_lifo_create(&lifo, words) == 0, "a list");
    expect(percpu_ring_create(&ring, rings) == 0, "a ring");
    expect(percpu_bytes_create(&bytes, records) == 0, "a ring of bytes");
    // The first vectors open the gates.
    expect(percpu_counter_add_on(&counters[0], 0, 0) == 0, "a vector");

    printf("%-20s | %7s | %10s", "", "threads", "ns");
    for (int which = 1; which < contestants; which++) printf(" | to %15s", names[which]);
    printf("\n");
    static const int thread_counts[] = {1, 2, most_threads};
    for (size_t number = 0; number < sizeof rows / sizeof *rows; number++) {
        for (int which = 0; which < 3; which++) {
            int threads = thread_counts[which];
            pthread_t ids_of_threads[most_threads];
            pthread_barrier_init(&start_line, NULL, (unsigned)threads + 1);
            pthread_barrier_init(&finish_line, NULL, (unsigned)threads + 1);
            for (int thread = 0; thread < threads; thread++) {
                expect(pthread_create(&ids_of_threads[thread], NULL, work, NULL) == 0, "a thread");
            }
            measure_row(&rows[number], threads, rounds);
            running = NULL;
            pthread_barrier_wait(&start_line);
            for (int thread = 0; thread < threads; thread++)
                pthread_join(ids_of_threads[thread], NULL);
            pthread_barrier_destroy(&start_line);
            pthread_barrier_destroy(&finish_line);
        }
    }
    return 0;
}
