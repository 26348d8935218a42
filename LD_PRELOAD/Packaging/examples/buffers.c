// A cache of buffers for each CPU: a list of free ones, and a ring that hands full ones to a thread
// that writes them out.
//
//     cc buffers.c $(pkg-config --cflags --libs percolate) -pthread -o buffers
#include <percolate/percpu.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { producers = 4, buffers_each = 20000, ring_places = 64 };

// The node comes first: a free buffer is an element of a list.
struct buffer {
    struct percpu_lifo_node node;
    size_t length;
    char bytes[1000];
};

static struct percpu_lifo free_buffers;
static struct percpu_ring full_buffers;
static int running = producers;
static long allocated;

static struct buffer *new_buffer(void) {
    struct percpu_lifo_node *node = percpu_lifo_pop_any(&free_buffers);
    if (node) {
        return (struct buffer *)node;
    }
    struct buffer *fresh = (struct buffer *)malloc(sizeof *fresh);
    if (fresh == NULL) {
        abort();
    }
    __atomic_fetch_add(&allocated, 1, __ATOMIC_ACQ_REL);
    return fresh;
}

static void *produce(void *argument) {
    (void)argument;
    for (int number = 0; number < buffers_each; number++) {
        struct buffer *buffer = new_buffer();
        buffer->length = (size_t)(number % 1000);
        memset(buffer->bytes, 'x', buffer->length);
        // A full ring: the consumer is behind.
        while (percpu_ring_put(&full_buffers, buffer) == 1) {
            sched_yield();
        }
    }
    __atomic_fetch_sub(&running, 1, __ATOMIC_ACQ_REL);
    return NULL;
}

static void consume(void *pointer, void *total) {
    struct buffer *buffer = (struct buffer *)pointer;
    *(size_t *)total += buffer->length;
    percpu_lifo_push(&free_buffers, &buffer->node);
}

static void release(struct percpu_lifo_node *node, void *count) {
    *(long *)count += 1;
    free(node);
}

int main(void) {
    struct percpu_pool *lists = percpu_pool_create(sizeof(intptr_t), 0, PERCPU_CPU_ID);
    struct percpu_pool *rings = percpu_pool_create(percpu_ring_size(ring_places), 0, PERCPU_CPU_ID);
    if (lists == NULL || rings == NULL) {
        return 1;
    }
    if (percpu_lifo_create(&free_buffers, lists) != 0
        || percpu_ring_create(&full_buffers, rings) != 0) {
        return 1;
    }

    pthread_t threads[producers];
    for (int number = 0; number < producers; number++) {
        if (pthread_create(&threads[number], NULL, produce, NULL) != 0) {
            return 1;
        }
    }
    // Empties the rings of all CPUs from here, by vectors. One more time after the last producer.
    size_t total = 0;
    int last;
    do {
        last = __atomic_load_n(&running, __ATOMIC_ACQUIRE) == 0;
        percpu_ring_drain(&full_buffers, consume, &total);
        sched_yield();
    } while (!last);
    for (int number = 0; number < producers; number++) {
        pthread_join(threads[number], NULL);
    }

    long freed = 0;
    percpu_lifo_drain(&free_buffers, release, &freed);
    printf("%zu bytes in %d buffers, of which %ld were allocated\n", total,
           producers * buffers_each, freed);
    int is_right = total == (size_t)producers * buffers_each * 999 / 2
                   && freed == __atomic_load_n(&allocated, __ATOMIC_ACQUIRE);
    percpu_ring_destroy(&full_buffers);
    percpu_lifo_destroy(&free_buffers);
    percpu_pool_destroy(rings);
    percpu_pool_destroy(lists);
    return is_right ? 0 : 1;
}
