// Latency: threads exchange blocks of 16 to 9000 bytes through one shared table, and time each
// malloc and each free. What counts is the distribution, and above all its end: a server's slowest
// answers.
#include "workload.h"

#if defined(__x86_64__)
#include <x86intrin.h>

/// Reads the processor's clock behind what comes before.
static inline uint64_t ticks(void) {
    unsigned processor;
    return __rdtscp(&processor);
}
#else
static inline uint64_t ticks(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}
#endif

/// Buckets of a sixteenth of each doubling: a value is known to 6 %.
enum { parts = 16, buckets = 64 * parts, operations_timed = 2 };
static const char *const names[operations_timed] = {"malloc", "free"};

struct histogram {
    uint64_t counts[buckets];
    uint64_t worst;
};

static uint64_t threads, slots, operations, least, most;
static void **shared;
static struct histogram *histograms;

static size_t bucket(uint64_t value) {
    if (value < parts) return value;
    int power = 63 - __builtin_clzll(value);
    return (size_t)(power - 3) * parts + ((value >> (power - 4)) & (parts - 1));
}

/// The largest value of a bucket.
static uint64_t bound(size_t index) {
    if (index < parts) return index;
    int power = (int)(index / parts) + 3;
    return ((uint64_t)(parts + index % parts + 1) << (power - 4)) - 1;
}

static inline void count(struct histogram *histogram, uint64_t value) {
    histogram->counts[bucket(value)]++;
    if (value > histogram->worst) histogram->worst = value;
}

static void *body(void *argument) {
    uint64_t index = (uintptr_t)argument;
    struct random_source source = random_seeded(index);
    struct histogram *own = &histograms[index * operations_timed];
    for (uint64_t done = 0; done < operations / threads; done++) {
        size_t size = random_between(&source, least, most);
        uint64_t start = ticks();
        char *block = malloc(size);
        count(&own[0], ticks() - start);
        if (block == NULL) workload_fail("malloc returned NULL");
        block[0] = block[size - 1] = 1;
        void *other = __atomic_exchange_n(&shared[random_below(&source, slots)], block, __ATOMIC_ACQ_REL);
        start = ticks();
        free(other);
        count(&own[1], ticks() - start);
    }
    return NULL;
}

static void report(size_t operation, double nanoseconds_of_tick) {
    static const double quantiles[] = {0.5, 0.99, 0.999, 0.9999, 0.99999};
    static struct histogram sum;
    memset(&sum, 0, sizeof sum);
    uint64_t total = 0;
    for (uint64_t thread = 0; thread < threads; thread++) {
        struct histogram *own = &histograms[thread * operations_timed + operation];
        for (size_t i = 0; i < buckets; i++) sum.counts[i] += own->counts[i];
        if (own->worst > sum.worst) sum.worst = own->worst;
    }
    for (size_t i = 0; i < buckets; i++) total += sum.counts[i];
    dprintf(1, "{\"latency\":\"%s\",\"count\":%llu,\"nanoseconds\":[", names[operation], (unsigned long long)total);
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++) {
        uint64_t rank = (uint64_t)(quantiles[i] * (double)total), seen = 0;
        size_t at = 0;
        while (at + 1 < buckets && (seen += sum.counts[at]) <= rank) at++;
        uint64_t value = bound(at) < sum.worst ? bound(at) : sum.worst;
        dprintf(1, "%.0f,", (double)value * nanoseconds_of_tick);
    }
    dprintf(1, "%.0f]}\n", (double)sum.worst * nanoseconds_of_tick);
}

int main(int argc, char **argv) {
    workload_begin(argc, argv);
    threads = workload_argument("threads", 64);
    slots = workload_argument("slots", 4000);
    operations = workload_amount("operations", 16000000);
    least = workload_argument("least", 16);
    most = workload_argument("most", 9000);
    workload_arguments_end();
    shared = table(slots, sizeof(void *));
    histograms = table(threads * operations_timed, sizeof *histograms);
    double from = workload_now();
    uint64_t first = ticks();
    run_threads(threads, body);
    double nanoseconds_of_tick = (workload_now() - from) * 1e9 / (double)(ticks() - first);
    for (size_t operation = 0; operation < operations_timed; operation++) report(operation, nanoseconds_of_tick);
    for (uint64_t i = 0; i < slots; i++) free(shared[i]);
}
