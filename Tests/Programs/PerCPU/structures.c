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

#include <percolate/percpu.h>

#include <pthread.h>
#include <signal.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
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
static const char *structure;
static int thread_count, cpu_count;
static long operations, remote = 10;
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
