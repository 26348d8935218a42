/// More threads than CPUs use one lock of the allocator, and measure how long they wait for it.
///
///     waiting gate|central THREADS SECONDS
///
/// gate: vectors on CPU 0. central: blocks that no cache holds (`cache=1K`), from one central list.
/// Prints the distribution of the times of all operations, and of those whose thread was not
/// preempted itself: these waited, or slept, for another thread. In microseconds.
#define _GNU_SOURCE
#include <percolate/cpu_op.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { BUCKETS = 64 * 16, MAX_THREADS = 64 };

/// Times by their binary logarithm, in sixteenths of it.
struct distribution {
    uint64_t buckets[BUCKETS];
    uint64_t count, worst;
};

static struct distribution all[MAX_THREADS], undisturbed[MAX_THREADS];
static volatile int is_over;
static int uses_gate;
/// What the vectors write: a copy long enough to be interrupted in.
static char source[2048], target[2048];

static uint64_t nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int bucket_of(uint64_t value) {
    if (value < 16) return (int)value;
    int power = 63 - __builtin_clzll(value);
    return (power - 3) * 16 + (int)(value >> (power - 4) & 15);
}

static double top_of(int bucket) {
    if (bucket < 16) return bucket;
    return (double)((uint64_t)(17 + bucket % 16) << (bucket / 16 - 1));
}

static void add(struct distribution *distribution, uint64_t value) {
    distribution->buckets[bucket_of(value)]++;
    distribution->count++;
    if (value > distribution->worst) distribution->worst = value;
}

static void merge(struct distribution *into, const struct distribution *from) {
    for (int bucket = 0; bucket < BUCKETS; bucket++) into->buckets[bucket] += from->buckets[bucket];
    into->count += from->count;
    if (from->worst > into->worst) into->worst = from->worst;
}

static double quantile(const struct distribution *distribution, double part) {
    uint64_t wanted = (uint64_t)(part * (double)distribution->count), seen = 0;
    for (int bucket = 0; bucket < BUCKETS; bucket++) {
        seen += distribution->buckets[bucket];
        if (seen > wanted) return top_of(bucket);
    }
    return (double)distribution->worst;
}

static void operate(void) {
    if (uses_gate) {
        struct cpu_op vector[] = {percolate_op_copy(CPU_MEMCPY_OP, target, source, sizeof source)};
        if (percolate_cpu_opv(vector, 1, 0, 0) != 0) {
            perror("waiting: percolate_cpu_opv");
            exit(1);
        }
    } else {
        char *volatile block = malloc(3000);
        if (!block) exit(1);
        *block = 1;
        free(block);
    }
}

static long preemptions(void) {
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nivcsw;
}

static void *work(void *argument) {
    long thread = (long)argument;
    for (unsigned number = 0; !is_over; number++) {
        if (number % 8 != 0) {
            operate();
            continue;
        }
        long before = preemptions();
        uint64_t start = nanoseconds();
        operate();
        uint64_t time = nanoseconds() - start;
        add(&all[thread], time);
        if (preemptions() == before) add(&undisturbed[thread], time);
    }
    return NULL;
}

static void print(const char *name, const struct distribution *sum) {
    printf("waiting %s: n %llu p50 %.1f p99 %.1f p99.9 %.1f p99.99 %.1f worst %.1f\n", name,
        (unsigned long long)sum->count, quantile(sum, 0.5) / 1000, quantile(sum, 0.99) / 1000,
        quantile(sum, 0.999) / 1000, quantile(sum, 0.9999) / 1000, (double)sum->worst / 1000);
}

int main(int count, char **arguments) {
    int threads = count == 4 ? atoi(arguments[2]) : 0;
    int seconds = count == 4 ? atoi(arguments[3]) : 0;
    uses_gate = count == 4 && strcmp(arguments[1], "gate") == 0;
    if (threads < 1 || threads > MAX_THREADS || seconds < 1 || (!uses_gate && strcmp(arguments[1], "central") != 0)) {
        fprintf(stderr, "waiting gate|central THREADS SECONDS\n");
        return 2;
    }
    struct timespec step;
    if (clock_getres(CLOCK_MONOTONIC, &step) != 0 || step.tv_sec != 0 || step.tv_nsec > 1000) {
        fprintf(stderr, "waiting: the steps of this clock are too long: %ld ns\n", step.tv_nsec);
        return 1;
    }
    pthread_t ids[MAX_THREADS];
    for (long thread = 0; thread < threads; thread++) {
        if (pthread_create(&ids[thread], NULL, work, (void *)thread) != 0) return 1;
    }
    struct timespec rest = {seconds, 0};
    nanosleep(&rest, NULL);
    is_over = 1;
    for (int thread = 0; thread < threads; thread++) pthread_join(ids[thread], NULL);
    for (int thread = 1; thread < threads; thread++) {
        merge(&all[0], &all[thread]);
        merge(&undisturbed[0], &undisturbed[thread]);
    }
    print("all", &all[0]);
    print("undisturbed", &undisturbed[0]);
    return 0;
}
