// A vector for another CPU stops a sequence that runs there this moment.
//
//     running_section ABORTS [fence=ERRNO]
//
// A thread on one CPU stays inside a sequence, in front of its commit, until it is let go.
// Meanwhile a thread on another CPU runs a vector on the same data, which closes the gate, and then
// lets the sequence go. It must not commit: it saw the gate open, and the gate was closed since.
//
// A sequence is also aborted where its thread is preempted. So only those count whose thread the
// kernel did not switch out: the fence alone can have stopped them. Ends with 0 after ABORTS of
// them; with 1 when a sequence committed; with 2 when neither happens for a minute.
//
//     fence=ERRNO  membarrier answers so and does nothing; 0 looks like success
#define _GNU_SOURCE
#include <stdint.h>

// The sequence stands here, and one at a time runs.
__attribute__((visibility("hidden"))) uint32_t is_inside, may_go;

#if defined(__aarch64__)
#define STAY_INSIDE                                                                                                    \
    "adrp x13, is_inside\n"                                                                                            \
    "mov w12, #1\n"                                                                                                    \
    "str w12, [x13, #:lo12:is_inside]\n"                                                                               \
    "adrp x13, may_go\n"                                                                                               \
    "91: ldr w12, [x13, #:lo12:may_go]\n"                                                                              \
    "cbz w12, 91b\n"
#define SECTION_DELAY_CLOBBER "x12", "x13"
#else
#define STAY_INSIDE                                                                                                    \
    "movl $1, is_inside(%%rip)\n"                                                                                      \
    "91: cmpl $0, may_go(%%rip)\n"                                                                                     \
    "je 91b\n"
#define SECTION_DELAY_CLOBBER "memory"
#endif
#define SECTION_DELAY(step) ".if " #step " == 3\n" STAY_INSIDE ".endif\n"

// The tests compile with a copy of the header that has a delay in front of each step.
#define DELAYS_H
#include <percolate/rseq_ops.h>
#ifndef SECTIONS_ARE_DELAYED
#error "compile with the copy that the tests make"
#endif
#include "without_calls.h"

#include <percolate/percpu_ops.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static intptr_t data;
static int cpu;
// Rounds that were begun, and ended.
static atomic_long begun, ended;
// Of the last one that ended.
static int result;
static bool was_switched_out;

static void run_on(int number) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(number, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) { abort(); }
}

static long switches(void) {
    struct rusage usage;
    if (getrusage(RUSAGE_THREAD, &usage) != 0) { abort(); }
    return usage.ru_nvcsw + usage.ru_nivcsw;
}

static void *run_sections(void *argument) {
    run_on(cpu);
    for (long round = 1;; round++) {
        while (begun != round) {
            if (begun < 0) { return argument; }
            sched_yield();
        }
        long before = switches();
        result = rseq_addv(&data, 1, cpu);
        was_switched_out = switches() != before;
        ended = round;
    }
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

// Two CPUs that the program may use: the sequences run on the first.
static int other_cpu(void) {
    cpu_set_t set;
    int found[2] = {-1, -1};
    if (sched_getaffinity(0, sizeof set, &set) != 0) { abort(); }
    for (int number = CPU_SETSIZE - 1; number >= 0; number--) {
        if (!CPU_ISSET(number, &set)) { continue; }
        found[1] = found[0];
        found[0] = number;
    }
    cpu = found[0];
    return found[1];
}

int main(int argc, char **argv) {
    long wanted = argc > 1 ? atol(argv[1]) : 100, aborts = 0, round = 0, committed = 0;
    int other = other_cpu();
    if (other < 0) {
        puts("one CPU");
        return 2;
    }
    run_on(other);
    // The first vector opens the gates.
    if (cpu_op_addv(&data, 0, cpu) != 0) { abort(); }
    if (argc > 2) { answer_fences_with(atoi(argv[2] + strlen("fence="))); }
    pthread_t thread;
    if (pthread_create(&thread, NULL, run_sections, NULL) != 0) { abort(); }
    double end = seconds() + 60;
    while (aborts < wanted && committed == 0 && seconds() < end) {
        __atomic_store_n(&may_go, 0, __ATOMIC_SEQ_CST);
        __atomic_store_n(&is_inside, 0, __ATOMIC_SEQ_CST);
        begun = ++round;
        while (!__atomic_load_n(&is_inside, __ATOMIC_SEQ_CST) && ended != round) {}
        if (cpu_op_addv(&data, 1000, cpu) != 0) { abort(); }
        __atomic_store_n(&may_go, 1, __ATOMIC_SEQ_CST);
        while (ended != round) {}
        committed += result == 0;
        aborts += result < 0 && !was_switched_out && __atomic_load_n(&is_inside, __ATOMIC_SEQ_CST);
    }
    begun = -1;
    pthread_join(thread, NULL);
    printf("%ld rounds, %ld aborted while they ran, %ld committed behind a closed gate: %s\n", round, aborts, committed,
           committed > 0 ? "WRONG" : aborts < wanted ? "too few" : "ok");
    return committed > 0 ? 1 : aborts < wanted ? 2 : 0;
}
