// Threads that do one operation all the time, and how long it takes them.
#ifndef MEASURING_H
#define MEASURING_H

#include <pthread.h>
#include <stddef.h>
#include <time.h>

// Does one operation `count` times.
typedef void operation(long count);

static pthread_barrier_t start_line, finish_line;
static operation *running;
static long chunk, done;
static int stop;

// Operations until told to stop: a thread that was not let run has done none, and nobody waits for
// it.
static void *work(void *argument) {
    (void)argument;
    for (;;) {
        pthread_barrier_wait(&start_line);
        if (running == NULL) return NULL;
        long mine = 0;
        for (; !__atomic_load_n(&stop, __ATOMIC_RELAXED); mine += chunk) running(chunk);
        __atomic_fetch_add(&done, mine, __ATOMIC_RELAXED);
        pthread_barrier_wait(&finish_line);
    }
}

static double nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

// Nanoseconds for one operation while all threads do them for that long.
static double measure(operation *run, long at_a_time, long window) {
    running = run;
    chunk = at_a_time;
    done = stop = 0;
    struct timespec rest = {0, window};
    pthread_barrier_wait(&start_line);
    double start = nanoseconds();
    nanosleep(&rest, NULL);
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    double end = nanoseconds();
    pthread_barrier_wait(&finish_line);
    return (end - start) / (double)(done ? done : 1);
}

#endif
