// A log that threads write without waiting for each other: a ring of bytes for each CPU, read by
// one thread.
//
//     cc log.c $(pkg-config --cflags --libs percolate) -pthread -o log
#include <inttypes.h>
#include <percolate/percpu.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

enum { writers = 4, lines = 20000 };

static struct percpu_bytes ring;
static struct percpu_counter lost;
static int running = writers;

static void write_line(const char *line) {
    // A full ring loses the line, and counts it: a server does not wait for its log.
    if (percpu_bytes_put(&ring, line, strlen(line)) == 1) {
        percpu_counter_add(&lost, 1);
    }
}

static void *work(void *argument) {
    for (int number = 0; number < lines; number++) {
        char line[100];
        snprintf(line, sizeof line, "thread %d did %d", (int)(intptr_t)argument, number);
        write_line(line);
    }
    __atomic_fetch_sub(&running, 1, __ATOMIC_ACQ_REL);
    return NULL;
}

static void read_line(const void *bytes, size_t length, int index, void *count) {
    (void)index;
    if (length < 14 || memcmp(bytes, "thread ", 7) != 0) {
        return;
    }
    *(long *)count += 1;
}

int main(void) {
    struct percpu_pool *pool =
        percpu_pool_create(percpu_bytes_size(1 << 16), 1 << 20, PERCPU_CPU_ID);
    if (pool == NULL || percpu_bytes_create(&ring, pool) != 0
        || percpu_counter_create(&lost, pool) != 0) {
        return 1;
    }
    pthread_t threads[writers];
    for (int number = 0; number < writers; number++) {
        if (pthread_create(&threads[number], NULL, work, (void *)(intptr_t)number) != 0) {
            return 1;
        }
    }
    long read = 0;
    int last;
    do {
        last = __atomic_load_n(&running, __ATOMIC_ACQUIRE) == 0;
        percpu_bytes_drain(&ring, read_line, &read);
        sched_yield();
    } while (!last);
    for (int number = 0; number < writers; number++) {
        pthread_join(threads[number], NULL);
    }
    percpu_bytes_drain(&ring, read_line, &read);
    intptr_t without_room = percpu_counter_sum(&lost);
    printf("%ld lines read, %" PRIdPTR " lost\n", read, without_room);
    percpu_bytes_destroy(&ring);
    percpu_counter_destroy(&lost);
    percpu_pool_destroy(pool);
    return read + without_room == writers * lines ? 0 : 1;
}
