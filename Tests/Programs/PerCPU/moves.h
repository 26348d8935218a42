// The structures of <percolate/percpu.h> with numbered items in them, and one move of each: an item
// is taken out, found to be nobody else's, and put back. Include "../Vectors/delays.h" first.
#ifndef MOVES_H
#define MOVES_H

#include <percolate/percpu.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ITEMS 128
#define MOST_BYTES 200

struct item {
    struct percpu_lifo_node node;
    intptr_t number;
};

static struct item items[ITEMS];
static atomic_bool is_out[ITEMS];
static struct percpu_pool *pool;
static struct percpu_counter counter;
static struct percpu_lifo lifo;
static struct percpu_ring ring;
static struct percpu_bytes bytes;
static int cpu_count;
static atomic_long wrong, drained;
static _Thread_local uint64_t random_state;

static long random_below(long bound) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (long)((random_state >> 33) % (uint64_t)bound);
}

static int by_lot(void) { return (int)random_below(cpu_count); }

static void complain(const char *what, long number) {
    long before = atomic_fetch_add(&wrong, 1);
    if (before < 3) {
        printf("%s %ld\n", what, number);
    }
    // A broken list goes round for ever.
    if (before == 1000) {
        puts("WRONG");
        fflush(stdout);
        _exit(1);
    }
}

static void take_out(long number) {
    if (number < 0 || number >= ITEMS) {
        complain("no item", number);
    } else if (atomic_exchange(&is_out[number], true)) {
        complain("taken twice", number);
    }
}

static void put_back(long number) {
    if (number >= 0 && number < ITEMS) {
        atomic_store(&is_out[number], false);
    }
}

static void expect(int result) {
    if (result == 0) {
        return;
    }
    printf("an operation says %d, %s\n", result, strerror(errno));
    abort();
}

// A remote addition with a long way from its load to its store: a copy that expects a fault is made
// by a system call.
static void add_slowly(int index) {
    static _Thread_local char from[4000], to[4000];
    intptr_t sum, *value = PERCPU_PART(pool, counter.value, index);
    struct cpu_op vector[] = {
        percolate_op_copy(CPU_MEMCPY_OP, &sum, value, sizeof sum),
        percolate_op_copy(CPU_MEMCPY_OP, to, from, sizeof to),
        percolate_op_sum(CPU_ADD_OP, &sum, 1, sizeof sum),
        percolate_op_copy(CPU_MEMCPY_OP, value, &sum, sizeof sum),
    };
    vector[1].u.memcpy_op.expect_fault_src = 1;
    expect((pool->by == PERCPU_MM_CID ? percolate_mm_cid_opv : percolate_cpu_opv)(vector, 4, index,
                                                                                  0));
}

static void count(bool is_remote) {
    if (!is_remote) {
        expect(percpu_counter_add(&counter, 1));
    } else if (random_below(3) == 0) {
        intptr_t old;
        expect(percpu_counter_drain_on(&counter, &old, by_lot()));
        atomic_fetch_add(&drained, old);
        expect(percpu_counter_add_on(&counter, 1, by_lot()));
    } else {
        add_slowly(by_lot());
    }
}

static void move_node(bool is_remote) {
    struct percpu_lifo_node *node = !is_remote        ? percpu_lifo_pop(&lifo)
                                    : random_below(2) ? percpu_lifo_pop_any(&lifo)
                                                      : percpu_lifo_pop_on(&lifo, by_lot());
    if (node == NULL) {
        return;
    }
    struct item *item = (struct item *)node;
    take_out(item->number);
    put_back(item->number);
    expect(is_remote ? percpu_lifo_push_on(&lifo, node, by_lot()) : percpu_lifo_push(&lifo, node));
}

// A list taken at once, and its nodes pushed again.
static void move_list(void) {
    struct percpu_lifo_node *node = percpu_lifo_take_on(&lifo, by_lot());
    for (struct percpu_lifo_node *taken = node; taken; taken = taken->next) {
        take_out(((struct item *)taken)->number);
    }
    while (node) {
        struct percpu_lifo_node *next = node->next;
        put_back(((struct item *)node)->number);
        expect(percpu_lifo_push(&lifo, node));
        node = next;
    }
}

static void put_pointer(void *pointer, bool is_remote) {
    put_back(((struct item *)pointer)->number);
    int result;
    // The rings together have room for all items, one alone may be full.
    do {
        result = is_remote ? percpu_ring_put_on(&ring, pointer, by_lot())
                           : percpu_ring_put(&ring, pointer);
        is_remote = true;
    } while (result == 1);
    expect(result);
}

static void move_pointer(bool is_remote) {
    void *pointer = is_remote ? percpu_ring_take_on(&ring, by_lot()) : percpu_ring_take(&ring);
    if (pointer == NULL) {
        return;
    }
    take_out(((struct item *)pointer)->number);
    put_pointer(pointer, is_remote);
}

static void move_batch(bool is_remote) {
    void *batch[12];
    size_t most = (size_t)random_below(12) + 1;
    size_t taken = is_remote ? percpu_ring_take_many_on(&ring, batch, most, by_lot())
                             : percpu_ring_take_many(&ring, batch, most);
    for (size_t number = 0; number < taken; number++) {
        take_out(((struct item *)batch[number])->number);
    }
    for (size_t number = 0; number < taken; number++) {
        put_back(((struct item *)batch[number])->number);
    }
    size_t put = percpu_ring_put_many(&ring, batch, taken);
    for (; put < taken; put++) {
        put_pointer(batch[put], true);
    }
}

static size_t fill(unsigned char *record, long number) {
    size_t length = sizeof number + (size_t)random_below(MOST_BYTES - (long)sizeof number + 1);
    memset(record, (int)(number + (long)length), length);
    memcpy(record, &number, sizeof number);
    return length;
}

static void put_record(long number, bool is_remote) {
    unsigned char record[MOST_BYTES];
    size_t length = fill(record, number);
    int result;
    do {
        result = is_remote ? percpu_bytes_put_on(&bytes, record, length, by_lot())
                           : percpu_bytes_put(&bytes, record, length);
        is_remote = true;
    } while (result == 1);
    expect(result);
}

static long number_of(const unsigned char *record, size_t length) {
    long number = -1;
    if (length < sizeof number || length > MOST_BYTES) {
        complain("a record of length", (long)length);
        return -1;
    }
    memcpy(&number, record, sizeof number);
    for (size_t place = sizeof number; place < length; place++) {
        if (record[place] != (unsigned char)(number + (long)length)) {
            complain("torn record of item", number);
            break;
        }
    }
    return number;
}

static void move_record(bool is_remote) {
    unsigned char record[MOST_BYTES];
    intptr_t length = is_remote ? percpu_bytes_take_on(&bytes, record, sizeof record, by_lot())
                                : percpu_bytes_take(&bytes, record, sizeof record);
    if (length < 0) {
        if (errno == ENOMSG) {
            return;
        }
        complain("an error of taking", errno);
        if (errno == EMSGSIZE) {
            pthread_exit(NULL);
        }
        return;
    }
    long number = number_of(record, (size_t)length);
    take_out(number);
    put_back(number);
    put_record(number, is_remote);
}

#endif
