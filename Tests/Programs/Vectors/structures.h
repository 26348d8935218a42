// Five structures on per-CPU data, and one operation of each, which is done in the way that `way`
// says. Include "delays.h" first.
#ifndef STRUCTURES_H
#define STRUCTURES_H

#include <percolate/percpu_ops.h>

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CPUS 64
#define ITEMS 64

enum way { SECTION, VECTOR, MIXED };

struct item {
    intptr_t number;
    intptr_t copies[5];
};

struct node {
    struct node *next;
    intptr_t number;
};

struct per_cpu {
    intptr_t lock;
    intptr_t locked_count;
    intptr_t counter;
    intptr_t slow_counter;
    intptr_t handler_counter;
    intptr_t list;
    intptr_t pointers_used;
    intptr_t bytes_used;
    intptr_t pointers[CPUS * ITEMS];
    struct item bytes[CPUS * ITEMS];
} __attribute__((aligned(128)));

static struct per_cpu data[CPUS];
static struct node nodes[CPUS * ITEMS];
static int cpu_count;
static enum way way;
// Turns between the load and the store of what the lock protects.
static long hold_turns;
static _Thread_local uint64_t random_state;

static uint64_t random_number(void) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return random_state >> 33;
}

static int by_lot(void) { return (int)(random_number() % (uint64_t)cpu_count); }

// Which CPU the next operation names, and whether it is to be a vector.
static int choose(bool *vector) {
    *vector = way == VECTOR || (way == MIXED && random_number() % 10 == 0);
    return *vector && random_number() % 2 ? by_lot() : percpu_current_cpu();
}

// One operation, the chosen way. A sequence alone can fail for ever only if it never gets its time
// on the CPU.
#define OPERATE(result, cpu, vector, name_section, name_vector, name_both, ...)                                        \
    do {                                                                                                               \
        if (vector) {                                                                                                  \
            (result) = name_vector(__VA_ARGS__, cpu);                                                                  \
        } else if (way == SECTION) {                                                                                   \
            (result) = name_section(__VA_ARGS__, cpu);                                                                 \
        } else {                                                                                                       \
            (result) = name_both(__VA_ARGS__, cpu);                                                                    \
        }                                                                                                              \
        if ((result) < 0 && way != SECTION) {                                                                          \
            perror(#name_vector);                                                                                      \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

static void add(intptr_t *(*field)(int)) {
    bool vector;
    int result;
    do {
        int cpu = choose(&vector);
        OPERATE(result, cpu, vector, rseq_addv, cpu_op_addv, percpu_addv, field(cpu), 1);
    } while (result != 0);
}

static intptr_t *counter(int cpu) { return &data[cpu].counter; }

// Shared with the threads that close gates.
static intptr_t *slow_counter(int cpu) { return &data[cpu].slow_counter; }

static void count_under_lock(void) {
    bool vector;
    int result, cpu;
    do {
        cpu = choose(&vector);
        OPERATE(result, cpu, vector, rseq_cmpeqv_storev, cpu_op_cmpeqv_storev, percpu_cmpeqv_storev, &data[cpu].lock, 0,
                1);
        if (result > 0) { sched_yield(); }
    } while (result != 0);
    intptr_t count = data[cpu].locked_count;
    for (volatile long turn = 0; turn < hold_turns; turn++) {}
    data[cpu].locked_count = count + 1;
    __atomic_store_n(&data[cpu].lock, 0, __ATOMIC_RELEASE);
}

static struct node *pop_node(void) {
    bool vector;
    int result;
    intptr_t head = 0;
    do {
        int cpu = choose(&vector);
        OPERATE(result, cpu, vector, rseq_cmpnev_storeoffp_load, cpu_op_cmpnev_storeoffp_load,
                percpu_cmpnev_storeoffp_load, &data[cpu].list, 0, (intptr_t)offsetof(struct node, next), &head);
    } while (result < 0);
    return result == 0 ? (struct node *)head : NULL;
}

static void push_node(struct node *node) {
    bool vector;
    int result;
    do {
        int cpu = choose(&vector);
        intptr_t head = *(volatile intptr_t *)&data[cpu].list;
        node->next = (struct node *)head;
        OPERATE(result, cpu, vector, rseq_cmpeqv_storev, cpu_op_cmpeqv_storev, percpu_cmpeqv_storev, &data[cpu].list,
                head, (intptr_t)node);
    } while (result != 0);
}

static intptr_t pop_pointer(void) {
    bool vector;
    int result;
    for (;;) {
        int cpu = choose(&vector);
        struct per_cpu *here = &data[cpu];
        intptr_t used = *(volatile intptr_t *)&here->pointers_used;
        if (used == 0) { return 0; }
        intptr_t last = *(volatile intptr_t *)&here->pointers[used - 1];
        OPERATE(result, cpu, vector, rseq_cmpeqv_cmpeqv_storev, cpu_op_cmpeqv_cmpeqv_storev, percpu_cmpeqv_cmpeqv_storev,
                &here->pointers_used, used, &here->pointers[used - 1], last, used - 1);
        if (result == 0) { return last; }
    }
}

static void push_pointer(intptr_t pointer) {
    bool vector, release;
    int result;
    do {
        int cpu = choose(&vector);
        struct per_cpu *here = &data[cpu];
        intptr_t used = *(volatile intptr_t *)&here->pointers_used;
        release = random_number() % 2;
        if (release) {
            OPERATE(result, cpu, vector, rseq_cmpeqv_trystorev_storev_release, cpu_op_cmpeqv_storev_storev_release,
                    percpu_cmpeqv_storev_storev_release, &here->pointers_used, used, &here->pointers[used], pointer,
                    used + 1);
        } else {
            OPERATE(result, cpu, vector, rseq_cmpeqv_trystorev_storev, cpu_op_cmpeqv_storev_mb_storev,
                    percpu_cmpeqv_storev_storev, &here->pointers_used, used, &here->pointers[used], pointer, used + 1);
        }
    } while (result != 0);
}

static bool pop_bytes(struct item *item) {
    bool vector;
    int result;
    for (;;) {
        int cpu = choose(&vector);
        struct per_cpu *here = &data[cpu];
        intptr_t used = *(volatile intptr_t *)&here->bytes_used;
        if (used == 0) { return false; }
        OPERATE(result, cpu, vector, rseq_cmpeqv_trymemcpy_storev, cpu_op_cmpeqv_memcpy_storev,
                percpu_cmpeqv_memcpy_storev, &here->bytes_used, used, item, &here->bytes[used - 1], sizeof *item, used - 1);
        if (result == 0) { return true; }
    }
}

static void push_bytes(const struct item *item) {
    bool vector;
    int result;
    do {
        int cpu = choose(&vector);
        struct per_cpu *here = &data[cpu];
        intptr_t used = *(volatile intptr_t *)&here->bytes_used;
        OPERATE(result, cpu, vector, rseq_cmpeqv_trymemcpy_storev_release, cpu_op_cmpeqv_memcpy_storev_release,
                percpu_cmpeqv_memcpy_storev_release, &here->bytes_used, used, &here->bytes[used], item, sizeof *item,
                used + 1);
    } while (result != 0);
}

#endif
