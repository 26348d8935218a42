// Per-CPU memory: no item is anybody else's, every item is zero at first, and errors of the program
// are said.
//
//     pool threads ROUNDS | shapes | fork | double | foreign | inner
//
// Compiled with RACY the pool of the library is compiled in, with its atomic step in two parts, and
// items must be given out twice.
#define _GNU_SOURCE
#include <percolate/percpu.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef RACY
static uint64_t or_in_two_steps(uint64_t *word, uint64_t bit) {
    uint64_t old = *(volatile uint64_t *)word;
    for (volatile int turn = 0; turn < 50; turn++) {}
    *(volatile uint64_t *)word = old | bit;
    return old;
}
#define __atomic_fetch_or(word, bit, order) or_in_two_steps(word, bit)
#include "../../../LD_PRELOAD/percpu_pool.c"
void *percolate_own_malloc(size_t size) { return malloc(size); }
void percolate_own_free(void *block) { free(block); }
void *percolate_allocate_zeroed(size_t size) { return calloc(1, size); }
int percolate_count_cpus(void) { return percolate_cpu_count(); }
bool percolate_knows_mm_cid(void) { return percolate_has_mm_cid(); }
int percolate_is_restricted(void) { return 0; }
long percolate_system_call(long a, long b, long c, long d, long e, long f, long number) {
    return percolate_raw_syscall6(number, a, b, c, d, e, f);
}
// Both owners of an item free it.
void percolate_report_misuse(const char *what, const void *address) {
    printf("%s %p: WRONG\n", what, address);
    fflush(stdout);
    _exit(1);
}
#endif

#define ITEM 40
#define HELD 24

static struct percpu_pool *pool;
static long rounds;
static atomic_long wrong;

// Writes the same word everywhere in an item, or looks for it.
static void fill(char *item, uint64_t word) {
    PERCPU_FOR_EACH(index, pool) {
        uint64_t *words = (uint64_t *)percpu_part(pool, item, index);
        for (int number = 0; number < ITEM / 8; number++) {
            words[number] = word;
        }
    }
}

static void expect_all(char *item, uint64_t word) {
    PERCPU_FOR_EACH(index, pool) {
        uint64_t *words = (uint64_t *)percpu_part(pool, item, index);
        for (int number = 0; number < ITEM / 8; number++) {
            wrong += words[number] != word;
        }
    }
}

static void *use_items(void *argument) {
    uint64_t number = (uintptr_t)argument, seed = number * 77 + 1;
    char *held[HELD] = {NULL};
    for (long round = 0; round < rounds && !wrong; round++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        int place = (int)(seed >> 33) % HELD;
        if (held[place]) {
            expect_all(held[place], number << 32 | (uint64_t)place);
            percpu_pool_free(pool, held[place]);
            held[place] = NULL;
        } else {
            held[place] = (char *)percpu_pool_allocate(pool);
            if (held[place] == NULL) {
                abort();
            }
            expect_all(held[place], 0);
            fill(held[place], number << 32 | (uint64_t)place);
        }
    }
    for (int place = 0; place < HELD; place++) {
        percpu_pool_free(pool, held[place]);
    }
    return NULL;
}

static int use_in_threads(int count) {
    // A stride of one page has 85 slots: ranges are added under way.
    pool = percpu_pool_create(ITEM, 4096, PERCPU_CPU_ID);
    if (pool == NULL) {
        abort();
    }
    pthread_t threads[16];
    for (long number = 0; number < count; number++) {
        pthread_create(&threads[number], NULL, use_items, (void *)(number + 1));
    }
    for (int number = 0; number < count; number++) {
        pthread_join(threads[number], NULL);
    }
    percpu_pool_destroy(pool);
    printf("%ld rounds: %s\n", rounds, wrong ? "WRONG" : "ok");
    return wrong != 0;
}

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("line %d: %s (errno %d)\n", __LINE__, #condition, errno);                       \
            wrong++;                                                                               \
        }                                                                                          \
    } while (0)

static int check_shapes(void) {
    EXPECT(percpu_count() >= sysconf(_SC_NPROCESSORS_ONLN)
           && percpu_count() <= PERCOLATE_GATES_MAX);
    EXPECT(percpu_pool_create(0, 0, PERCPU_CPU_ID) == NULL && errno == EINVAL);
    EXPECT(percpu_pool_create(SIZE_MAX, 0, PERCPU_CPU_ID) == NULL && errno == EINVAL);
    EXPECT(percpu_pool_create(8, 4097, PERCPU_CPU_ID) == NULL && errno == EINVAL);
    EXPECT(percpu_pool_create(8, 2048, PERCPU_CPU_ID) == NULL && errno == EINVAL);
    EXPECT(percpu_pool_create(8192, 4096, PERCPU_CPU_ID) == NULL && errno == EINVAL);
    EXPECT(percpu_pool_create(8, 0, (enum percpu_index)7) == NULL && errno == EINVAL);
    percpu_pool_destroy(NULL);
    for (size_t size = 1; size <= 100000; size = size * 3 + 1) {
        struct percpu_pool *shaped = percpu_pool_create(size, 0, PERCPU_MM_CID);
        EXPECT(shaped && shaped->item_size == size && shaped->count == percpu_count());
        EXPECT(shaped->by == (percolate_has_mm_cid() ? PERCPU_MM_CID : PERCPU_CPU_ID));
        EXPECT((size_t)1 << shaped->stride_shift >= size);
        char *items[300];
        size_t alignment = 1;
        while (alignment < 64 && alignment * 2 <= size) {
            alignment *= 2;
        }
        for (int number = 0; number < 300; number++) {
            items[number] = (char *)percpu_pool_allocate(shaped);
            EXPECT(items[number] && (uintptr_t)items[number] % alignment == 0);
            // The first and the last byte of each part are the item's alone.
            PERCPU_FOR_EACH(index, shaped) {
                char *part = PERCPU_PART(shaped, items[number], index);
                EXPECT(part[0] == 0 && part[size - 1] == 0);
                part[0] = part[size - 1] = (char)(number + 1);
            }
        }
        for (int number = 0; number < 300; number++) {
            PERCPU_FOR_EACH(index, shaped) {
                char *part = PERCPU_PART(shaped, items[number], index);
                EXPECT(part[0] == (char)(number + 1) && part[size - 1] == (char)(number + 1));
            }
            percpu_pool_free(shaped, items[number]);
        }
        percpu_pool_free(shaped, NULL);
        percpu_pool_destroy(shaped);
    }
    struct percpu_pool *small = PERCPU_POOL_OF(short, PERCPU_CPU_ID);
    short *number = PERCPU_ALLOCATE(small, short);
    EXPECT(number && PERCPU_PART(small, number, 0) == number);
    EXPECT(PERCPU_ALLOCATE(small, intptr_t) == NULL && errno == EINVAL);
    struct percpu_counter counter;
    EXPECT(percpu_counter_create(&counter, small) == -1 && errno == EINVAL);
    struct percpu_ring ring;
    EXPECT(percpu_ring_create(&ring, small) == -1 && errno == EINVAL);
    struct percpu_bytes bytes;
    EXPECT(percpu_bytes_create(&bytes, small) == -1 && errno == EINVAL);
    const short value = 4711;
    short *copies = (short *)percpu_pool_allocate_copies(small, &value, sizeof value);
    PERCPU_FOR_EACH(index, small) { EXPECT(*PERCPU_PART(small, copies, index) == 4711); }
    // Freed, and given out again: zero.
    percpu_pool_free(small, copies);
    number = PERCPU_ALLOCATE(small, short);
    EXPECT(number == copies);
    PERCPU_FOR_EACH(index, small) { EXPECT(*PERCPU_PART(small, number, index) == 0); }
    EXPECT(percpu_pool_allocate_copies(small, &small, sizeof small) == NULL && errno == EINVAL);
    percpu_pool_destroy(small);

    struct percpu_pool *rings = percpu_pool_create(percpu_bytes_size(64), 0, PERCPU_CPU_ID);
    EXPECT(percpu_bytes_create(&bytes, rings) == 0 && bytes.capacity == 64
           && percpu_bytes_record_max(&bytes) == 24);
    char record[32] = "twenty-four bytes in all", back[32];
    EXPECT(percpu_bytes_put(&bytes, record, 25) == -1 && errno == EMSGSIZE);
    EXPECT(percpu_bytes_take_on(&bytes, back, sizeof back, 0) == -1 && errno == ENOMSG);
    // Wherever an empty ring begins, the longest record has room; and records of no bytes are
    // records.
    for (int turn = 0; turn < 20; turn++) {
        EXPECT(percpu_bytes_put_on(&bytes, record, (size_t)(turn % 3) * 7, 0) == 0);
        EXPECT(percpu_bytes_take_on(&bytes, back, sizeof back, 0) == turn % 3 * 7);
        EXPECT(percpu_bytes_put_on(&bytes, record, 24, 0) == 0);
        EXPECT(percpu_bytes_take_on(&bytes, back, 23, 0) == -1 && errno == EMSGSIZE);
        EXPECT(percpu_bytes_take_on(&bytes, back, sizeof back, 0) == 24
               && memcmp(record, back, 24) == 0);
    }
    EXPECT(percpu_ring_create(&ring, rings) == 0 && ring.capacity == 8);
    for (int turn = 0; turn < 8; turn++) {
        EXPECT(percpu_ring_put_on(&ring, &record[turn], 0) == 0);
    }
    EXPECT(percpu_ring_put_on(&ring, record, 0) == 1 && percpu_ring_count_on(&ring, 0) == 8);
    EXPECT(percpu_ring_take_on(&ring, 0) == &record[0] && percpu_ring_count(&ring) == 7);
    EXPECT(percpu_ring_put_on(&ring, record, percpu_count()) == -1 && errno == EINVAL);
    percpu_pool_destroy(rings);
    puts(wrong ? "WRONG" : "ok");
    return wrong != 0;
}

static int check_fork(void) {
    pool = percpu_pool_create(ITEM, 4096, PERCPU_CPU_ID);
    rounds = 4000;
    pthread_t threads[3];
    for (long number = 0; number < 3; number++) {
        pthread_create(&threads[number], NULL, use_items, (void *)(number + 1));
    }
    for (int child = 0; child < 20; child++) {
        pid_t process = fork();
        if (process == 0) {
            use_items((void *)9);
            _exit(wrong != 0);
        }
        int status;
        if (waitpid(process, &status, 0) != process || status != 0) {
            wrong++;
        }
    }
    for (int number = 0; number < 3; number++) {
        pthread_join(threads[number], NULL);
    }
    puts(wrong ? "WRONG" : "ok");
    return wrong != 0;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        return 2;
    }
    rounds = argc > 2 ? atol(argv[2]) : 0;
    if (strcmp(argv[1], "threads") == 0) {
        return use_in_threads(4);
    }
    if (strcmp(argv[1], "shapes") == 0) {
        return check_shapes();
    }
    if (strcmp(argv[1], "fork") == 0) {
        return check_fork();
    }
    pool = percpu_pool_create(ITEM, 0, PERCPU_CPU_ID);
    char *item = (char *)percpu_pool_allocate(pool);
    if (strcmp(argv[1], "foreign") == 0) {
        item = (char *)malloc(ITEM);
    }
    if (strcmp(argv[1], "inner") == 0) {
        item += 8;
    }
    percpu_pool_free(pool, item);
    percpu_pool_free(pool, item);
    return 0;
}
