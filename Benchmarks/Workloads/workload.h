// What every workload shares: arguments by name, a seeded random generator, blocks that are really written, and marks.
// Nothing here allocates, so that every allocation a run makes is the workload's own.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static inline void workload_fail(const char *what) {
    dprintf(2, "%s\n", what);
    exit(2);
}

static int workload_argc;
static char **workload_argv;
static uint64_t workload_used;

static inline double workload_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double workload_started;

static inline void workload_begin(int argc, char **argv) {
    workload_argc = argc;
    workload_argv = argv;
    workload_started = workload_now();
    if (argc > 63) workload_fail("too many arguments");
}

/// The value of the argument `name=value`, or `fallback`.
static inline uint64_t workload_argument(const char *name, uint64_t fallback) {
    size_t length = strlen(name);
    for (int i = 1; i < workload_argc; i++) {
        const char *text = workload_argv[i];
        if (strncmp(text, name, length) != 0 || text[length] != '=') continue;
        char *end;
        errno = 0;
        uint64_t value = strtoull(text + length + 1, &end, 10);
        if (errno != 0 || *end != 0 || end == text + length + 1) workload_fail("an argument is not a number");
        workload_used |= 1ull << i;
        return value;
    }
    return fallback;
}

/// How much work to do: the argument `name`, or `fallback` scaled by the argument `scale` (per cent).
static inline uint64_t workload_amount(const char *name, uint64_t fallback) {
    uint64_t scaled = fallback * workload_argument("scale", 100) / 100;
    return workload_argument(name, scaled > 0 ? scaled : 1);
}

/// Call after the last `workload_argument`: an argument nobody asked for is a mistake in the caller's spelling.
static inline void workload_arguments_end(void) {
    for (int i = 1; i < workload_argc; i++) {
        if (workload_used & (1ull << i)) continue;
        dprintf(2, "unknown argument: %s\n", workload_argv[i]);
        exit(2);
    }
}

/// Random numbers by xorshift64*: the same seed gives every allocator the same requests.
struct random_source {
    uint64_t state;
};

static inline struct random_source random_seeded(uint64_t seed) {
    return (struct random_source){(seed + 1) * 0x9E3779B97F4A7C15ull | 1};
}

static inline uint64_t random_next(struct random_source *source) {
    uint64_t x = source->state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    source->state = x;
    return x * 0x2545F4914F6CDD1Dull;
}

/// Below `limit`, which must be at most 2^32.
static inline uint64_t random_below(struct random_source *source, uint64_t limit) {
    return ((random_next(source) >> 32) * limit) >> 32;
}

static inline uint64_t random_between(struct random_source *source, uint64_t least, uint64_t most) {
    return least + random_below(source, most - least + 1);
}

/// Sizes as programs ask for them: mostly below 128 bytes, one in eight up to 1 KiB, one in sixty-four up to 8 KiB.
static inline size_t random_program_size(struct random_source *source) {
    uint64_t kind = random_below(source, 64);
    if (kind == 0) return random_between(source, 1024, 8192);
    if (kind <= 8) return random_between(source, 128, 1024);
    return random_between(source, 8, 128);
}

/// A block whose first and last bytes, and one byte of each page, are written: what a program that asked for it would do.
static inline void *allocate_written(size_t size) {
    char *block = malloc(size);
    if (block == NULL) workload_fail("malloc returned NULL");
    for (size_t offset = 0; offset < size; offset += 4096) block[offset] = (char)size;
    if (size > 0) block[size - 1] = (char)size;
    return block;
}

/// Resident bytes of this process, counted exactly (`statm` lags behind by the kernel's per-CPU counters).
static inline uint64_t resident_bytes(void) {
    char text[4096];
    int file = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
    if (file < 0) workload_fail("cannot open /proc/self/smaps_rollup");
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    if (length <= 0) workload_fail("cannot read /proc/self/smaps_rollup");
    text[length] = 0;
    const char *line = strstr(text, "Rss:");
    if (line == NULL) workload_fail("no Rss in /proc/self/smaps_rollup");
    return strtoull(line + 4, NULL, 10) * 1024;
}

/// One JSON line: what the workload was doing, when, and what was resident then.
static inline void mark(const char *name) {
    dprintf(1, "{\"mark\":\"%s\",\"seconds\":%.4f,\"resident\":%llu}\n", name, workload_now() - workload_started,
            (unsigned long long)resident_bytes());
}

/// One JSON line: the seconds that count as this run's time, for workloads that also sleep.
static inline void report_active(double seconds) { dprintf(1, "{\"active\":%.6f}\n", seconds); }

static inline void sleep_seconds(double seconds) {
    struct timespec left = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {}
}

static inline pthread_t start_thread(void *(*body)(void *), void *argument) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, body, argument) != 0) workload_fail("pthread_create failed");
    return thread;
}

/// Pages straight from the kernel, for a workload's own tables: they must not be part of what it measures.
static inline void *table(size_t count, size_t size) {
    void *pages = mmap(NULL, count * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) workload_fail("mmap failed");
    return pages;
}

/// Runs `body(index)` on `threads` threads and waits for all of them.
static inline void run_threads(uint64_t threads, void *(*body)(void *)) {
    pthread_t *handles = table(threads, sizeof(pthread_t));
    for (uint64_t i = 0; i < threads; i++) handles[i] = start_thread(body, (void *)(uintptr_t)i);
    for (uint64_t i = 0; i < threads; i++) pthread_join(handles[i], NULL);
}
