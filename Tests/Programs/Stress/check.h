/// What every stress program shares: a seeded generator, clocks, failure reports that a signal
/// handler may make, a watchdog that turns a hang into a failure, and counted checks of a
/// waited-for child.
#ifndef CHECK_H
#define CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/// Ends the process with one line on stderr and status 1. Neither allocates nor runs exit handlers,
/// so it may be called from a signal handler and from a fork child of a process with threads.
__attribute__((noreturn, format(printf, 1, 2))) static inline void fail(const char *format, ...) {
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    if (length < 0) length = 0;
    if (length > (int)sizeof line - 2) length = sizeof line - 2;
    line[length++] = '\n';
    if (write(STDERR_FILENO, line, (size_t)length) < 0) _exit(4);
    _exit(1);
}

/// Fails with the text of the condition, the place and errno when the condition does not hold.
#define CHECK(condition)                                                                                              \
    do {                                                                                                              \
        if (!(condition))                                                                                             \
            fail("%s:%d: pid %d: does not hold: %s (errno %d)", __FILE__, __LINE__, (int)getpid(), #condition, errno); \
    } while (0)

/// For calls that return 0 or an error number (pthread).
#define CHECK_ZERO(call)                                                                                  \
    do {                                                                                                  \
        int error_number = (call);                                                                        \
        if (error_number != 0)                                                                            \
            fail("%s:%d: pid %d: %s gave %d", __FILE__, __LINE__, (int)getpid(), #call, error_number); \
    } while (0)

/// SplitMix64: one word of state, so each thread and each signal handler has its own stream.
struct random {
    uint64_t state;
};

static inline uint64_t random_next(struct random *random) {
    uint64_t word = (random->state += 0x9E3779B97F4A7C15ull);
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9ull;
    word = (word ^ (word >> 27)) * 0x94D049BB133111EBull;
    return word ^ (word >> 31);
}

/// Uniform in 0 ..< bound. The bias of the multiplication is below 2^-32 and of no matter here.
static inline uint64_t random_below(struct random *random, uint64_t bound) {
    return (uint64_t)(((unsigned __int128)random_next(random) * bound) >> 64);
}

static inline uint64_t now_nanoseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static inline void pause_microseconds(uint64_t microseconds) {
    struct timespec time = {(time_t)(microseconds / 1000000), (long)(microseconds % 1000000) * 1000};
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &time, &time) == EINTR) {}
}

static const char *watched;

static void watchdog_fires(int number) {
    (void)number;
    fail("hangs: %s (pid %d)", watched, (int)getpid());
}

/// From now on the process fails when it is not done with `what` after `seconds`. Call it again in
/// a fork child: alarms are not inherited.
static inline void watch(const char *what, unsigned seconds) {
    watched = what;
    struct sigaction action = {.sa_handler = watchdog_fires};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    alarm(seconds);
}

/// Waits for a child that must end with status 0.
static inline void expect_success(pid_t child, const char *what) {
    int status = 0;
    pid_t ended;
    do ended = waitpid(child, &status, __WALL);
    while (ended < 0 && errno == EINTR);
    if (ended != child) fail("waitpid for %s gave %d, errno %d", what, (int)ended, errno);
    if (WIFSIGNALED(status)) fail("%s died of signal %d", what, WTERMSIG(status));
    if (WEXITSTATUS(status) != 0) fail("%s ended with status %d", what, WEXITSTATUS(status));
}

/// The CPUs this process may use when it starts; index them modulo `count`.
struct processors {
    int count;
    int number[CPU_SETSIZE];
};

static inline void processors_read(struct processors *processors) {
    cpu_set_t set;
    CHECK(sched_getaffinity(0, sizeof set, &set) == 0);
    processors->count = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &set)) processors->number[processors->count++] = cpu;
}

/// Pins the calling thread to one CPU.
static inline void run_on(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    CHECK(sched_setaffinity(0, sizeof set, &set) == 0);
}

/// Lets the calling thread run on all of `processors`.
static inline void run_anywhere(const struct processors *processors) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int i = 0; i < processors->count; i++) CPU_SET(processors->number[i], &set);
    CHECK(sched_setaffinity(0, sizeof set, &set) == 0);
}

/// Zeroed memory that does not come from the allocator under test; shared with fork children if so
/// asked.
static inline void *map_zeroed(size_t bytes, bool shared) {
    int flags = MAP_ANONYMOUS | (shared ? MAP_SHARED : MAP_PRIVATE);
    void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
    CHECK(map != MAP_FAILED);
    return map;
}

/// A decimal argument, or a clear end.
static inline uint64_t number_argument(const char *text) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != 0) fail("not a number: %s", text);
    return value;
}

#endif
