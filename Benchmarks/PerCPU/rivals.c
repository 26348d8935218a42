#include "rivals.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// A place of a queue: whose turn it is, and what it holds.
struct place {
    uint64_t turn;
    void *pointer;
};

/// A ring of bytes: `head` and `tail` count those that were ever taken and put.
struct byte_ring {
    char *bytes;
    size_t capacity;
    size_t head;
    size_t tail;
};

/// Everything of one shard, what is written on lines of its own.
struct shard {
    _Alignas(128) uint64_t count;
    /// The address of the first node, and above its 48 bits how often it was changed.
    _Alignas(128) uint64_t first;
    _Alignas(128) uint64_t head;
    _Alignas(128) uint64_t tail;
    _Alignas(128) struct place *places;
    _Alignas(128) pthread_mutex_t mutex;
    uint64_t locked_count;
    struct rival_node *locked_list;
    struct byte_ring pointers;
    struct byte_ring records;
};

static struct shard *shards;
static uint64_t mask;

static void *allocate(size_t size) {
    void *memory = aligned_alloc(128, (size + 127) / 128 * 128);
    if (memory == NULL) {
        fputs("no memory\n", stderr);
        exit(1);
    }
    return memset(memory, 0, size);
}

static struct byte_ring make_ring(size_t capacity) {
    return (struct byte_ring){allocate(capacity), capacity, 0, 0};
}

void rival_start(int count, size_t ring_places, size_t ring_bytes) {
    shards = allocate((size_t)count * sizeof *shards);
    mask = ring_places - 1;
    for (int number = 0; number < count; number++) {
        pthread_mutex_init(&shards[number].mutex, NULL);
        shards[number].pointers = make_ring(ring_places * sizeof(void *));
        shards[number].records = make_ring(ring_bytes);
        shards[number].places = allocate(ring_places * sizeof(struct place));
        for (size_t place = 0; place < ring_places; place++)
            shards[number].places[place].turn = place;
    }
}

void rival_add(int shard) { __atomic_fetch_add(&shards[shard].count, 1, __ATOMIC_RELAXED); }

void rival_locked_add(void) {
    pthread_mutex_lock(&shards->mutex);
    shards->locked_count++;
    pthread_mutex_unlock(&shards->mutex);
}

static const uint64_t address_bits = (UINT64_C(1) << 48) - 1;

void rival_push(int shard, struct rival_node *node) {
    uint64_t first = __atomic_load_n(&shards[shard].first, __ATOMIC_RELAXED), next;
    do {
        node->next = (struct rival_node *)(first & address_bits);
        next = ((first & ~address_bits) + address_bits + 1) | (uint64_t)node;
    } while (!__atomic_compare_exchange_n(&shards[shard].first, &first, next, 0, __ATOMIC_RELEASE,
                                          __ATOMIC_RELAXED));
}

struct rival_node *rival_pop(int shard) {
    uint64_t first = __atomic_load_n(&shards[shard].first, __ATOMIC_ACQUIRE), next;
    do {
        struct rival_node *node = (struct rival_node *)(first & address_bits);
        if (node == NULL) return NULL;
        struct rival_node *second = __atomic_load_n(&node->next, __ATOMIC_RELAXED);
        next = ((first & ~address_bits) + address_bits + 1) | (uint64_t)second;
    } while (!__atomic_compare_exchange_n(&shards[shard].first, &first, next, 0, __ATOMIC_ACQUIRE,
                                          __ATOMIC_ACQUIRE));
    return (struct rival_node *)(first & address_bits);
}

void rival_locked_push(struct rival_node *node) {
    pthread_mutex_lock(&shards->mutex);
    node->next = shards->locked_list;
    shards->locked_list = node;
    pthread_mutex_unlock(&shards->mutex);
}

struct rival_node *rival_locked_pop(void) {
    pthread_mutex_lock(&shards->mutex);
    struct rival_node *node = shards->locked_list;
    if (node) shards->locked_list = node->next;
    pthread_mutex_unlock(&shards->mutex);
    return node;
}

/// False when the queue is full.
static int put(struct shard *shard, void *pointer) {
    uint64_t tail = __atomic_load_n(&shard->tail, __ATOMIC_RELAXED);
    for (;;) {
        struct place *place = &shard->places[tail & mask];
        int64_t distance = (int64_t)(__atomic_load_n(&place->turn, __ATOMIC_ACQUIRE) - tail);
        if (distance < 0) return 0;
        if (distance > 0) {
            tail = __atomic_load_n(&shard->tail, __ATOMIC_RELAXED);
        } else if (__atomic_compare_exchange_n(&shard->tail, &tail, tail + 1, 1, __ATOMIC_RELAXED,
                                               __ATOMIC_RELAXED)) {
            place->pointer = pointer;
            __atomic_store_n(&place->turn, tail + 1, __ATOMIC_RELEASE);
            return 1;
        }
    }
}

static void *take(struct shard *shard) {
    uint64_t head = __atomic_load_n(&shard->head, __ATOMIC_RELAXED);
    for (;;) {
        struct place *place = &shard->places[head & mask];
        int64_t distance = (int64_t)(__atomic_load_n(&place->turn, __ATOMIC_ACQUIRE) - (head + 1));
        if (distance < 0) return NULL;
        if (distance > 0) {
            head = __atomic_load_n(&shard->head, __ATOMIC_RELAXED);
        } else if (__atomic_compare_exchange_n(&shard->head, &head, head + 1, 1, __ATOMIC_RELAXED,
                                               __ATOMIC_RELAXED)) {
            void *pointer = place->pointer;
            __atomic_store_n(&place->turn, head + mask + 1, __ATOMIC_RELEASE);
            return pointer;
        }
    }
}

void rival_move(int shard, void *const *pointers, int count) {
    for (int number = 0; number < count; number++) put(&shards[shard], pointers[number]);
    for (int number = 0; number < count; number++) take(&shards[shard]);
}

/// Where the next `size` bytes are that lie side by side: behind the end of the memory, where they
/// do not fit before it.
static char *next_place(const struct byte_ring *ring, size_t *position, size_t size) {
    size_t left = ring->capacity - (*position & (ring->capacity - 1));
    if (left < size) *position += left;
    char *place = ring->bytes + (*position & (ring->capacity - 1));
    *position += size;
    return place;
}

/// All records of one ring have the same size.
static void move(pthread_mutex_t *mutex, struct byte_ring *ring, const void *bytes, size_t size) {
    char taken[4096];
    pthread_mutex_lock(mutex);
    // With what may be left out at the end of the memory.
    if (ring->tail - ring->head + 2 * size <= ring->capacity)
        memcpy(next_place(ring, &ring->tail, size), bytes, size);
    pthread_mutex_unlock(mutex);
    pthread_mutex_lock(mutex);
    if (ring->head != ring->tail) memcpy(taken, next_place(ring, &ring->head, size), size);
    pthread_mutex_unlock(mutex);
    // The copy is looked at by nobody, and shall be made.
    __asm__ volatile("" : : "r"(taken) : "memory");
}

void rival_locked_move(int number, void *const *pointers, int count) {
    struct shard *shard = &shards[number];
    move(&shard->mutex, &shard->pointers, pointers, (size_t)count * sizeof *pointers);
}

void rival_locked_move_record(int number, const void *bytes, size_t size) {
    struct shard *shard = &shards[number];
    move(&shard->mutex, &shard->records, bytes, size);
}
