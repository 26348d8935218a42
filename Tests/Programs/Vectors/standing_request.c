/// Asks for longer time slices without the library, on a kernel that checks how it is asked
/// (`rseq_debug`), until a slice was extended and then revoked, and makes a system call in the next
/// request.
///
///     standing_request [naive]
///
/// naive: with the request standing, for which that kernel ends the process (SIGSEGV). Else it
/// takes the request back for the call, as the library does, and ends with 0. 77 where there is no
/// such thing.
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned __rseq_size __attribute__((weak));

static volatile int is_over;

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void *compete(void *unused) {
    while (!is_over) {
        struct timespec rest = {0, 100000};
        nanosleep(&rest, NULL);
        for (volatile int turn = 0; turn < 20000; turn++) {}
    }
    return unused;
}

int main(int count, char **arguments) {
    int is_naive = count > 1 && strcmp(arguments[1], "naive") == 0;
    if (!&__rseq_size || __rseq_size < 33 || prctl(79, 2L, 1L, 0L, 0L) != 0) return 77;
    volatile uint8_t *control = (uint8_t *)__builtin_thread_pointer() + __rseq_offset + 28;
    cpu_set_t first;
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    sched_setaffinity(0, sizeof first, &first);
    pthread_t thread;
    pthread_create(&thread, NULL, compete, NULL);
    double end = seconds() + 60;
    for (int revoked = 0; revoked < 20 && seconds() < end;) {
        int was_granted = 0;
        control[0] = 1;
        // Neither asked for nor granted any more: the slice was extended, and the thread preempted
        // after it. No call in between.
        for (uint64_t turn = 0; turn < 100000000 && (control[0] || control[1]); turn++) was_granted |= control[1];
        if (!was_granted || control[0] || control[1]) continue;
        revoked++;
        control[0] = 1;
        if (!is_naive) control[0] = 0;
        syscall(SYS_getppid);
        control[0] = 0;
    }
    is_over = 1;
    pthread_join(thread, NULL);
    return 0;
}
