// Makes every event happen that a tracer can see, round after round.
//
//     events SECONDS
//
// A round takes two seconds, because a CPU counts as idle after one. Needs two CPUs. Ends with 0
// after whole rounds.
#define _GNU_SOURCE
#include <percolate/percpu_ops.h>

#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static intptr_t counter;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void nap(double seconds) {
    double end = now() + seconds;
    while (now() < end) { usleep(10000); }
}

static void move_to(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) {
        perror("sched_setaffinity");
        exit(2);
    }
}

// The first two CPUs that this process may use.
static void choose(int cpus[2]) {
    cpu_set_t set;
    int found = 0;
    if (sched_getaffinity(0, sizeof set, &set) != 0) { exit(2); }
    for (int cpu = 0; cpu < CPU_SETSIZE && found < 2; cpu++) {
        if (CPU_ISSET(cpu, &set)) { cpus[found++] = cpu; }
    }
    if (found < 2) {
        fprintf(stderr, "two CPUs are needed\n");
        exit(2);
    }
}

// Spans, refills, and drains when they are freed.
static void fill_caches(void) {
    enum { COUNT = 5000 };
    static void *blocks[COUNT];
    for (int i = 0; i < COUNT; i++) { blocks[i] = malloc(48); }
    for (int i = 0; i < COUNT; i++) { free(blocks[i]); }
}

// A large block whose pages go back to the system: at once, or when the allocator has learned to
// keep them, when it is told to.
static void release_pages(void) {
    size_t size = 8 << 20;
    char *block = malloc(size);
    if (!block) { exit(2); }
    memset(block, 1, size);
    free(block);
    malloc_trim(0);
}

static void ignore(int number) { (void)number; }

// Signals that hit allocation in its sections.
static void interrupt_allocation(void) {
    struct itimerval often = {{0, 100}, {0, 100}}, never = {{0, 0}, {0, 0}};
    signal(SIGALRM, ignore);
    setitimer(ITIMER_REAL, &often, NULL);
    for (double end = now() + 0.1; now() < end;) {
        for (int i = 0; i < 1000; i++) {
            void *volatile block = malloc(48);
            free(block);
        }
    }
    setitimer(ITIMER_REAL, &never, NULL);
}

// Needs memory that only the kernel has, or an idle CPU. Kept, so that the next time needs it
// again.
static void need_memory(void) {
    for (int i = 0; i < 12 << 10; i++) {
        if (!malloc(1024)) { exit(2); }
    }
}

int main(int count, char **arguments) {
    int cpus[2];
    if (count != 2) { return 2; }
    double end = now() + atof(arguments[1]);
    choose(cpus);
    do {
        move_to(cpus[0]);
        fill_caches();
        move_to(cpus[1]);
        for (double idle = now() + 1.3; now() < idle; nap(0.1)) {
            cpu_op_addv(&counter, 1, cpus[1]);
            cpu_op_addv(&counter, 1, cpus[0]);
            percpu_addv(&counter, 1, cpus[0]);
            fill_caches();
        }
        interrupt_allocation();
        for (int i = 0; i < 4; i++) {
            need_memory();
            nap(0.15);
        }
        release_pages();
    } while (now() < end);
    printf("counter %ld\n", (long)counter);
    return 0;
}
