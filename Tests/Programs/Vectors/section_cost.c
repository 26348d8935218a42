// An increment by a sequence beside an uncontended atomic one: prints the lowest ratio of their
// times over many short rounds in turn, in percent. On a busy machine some rounds are undisturbed
// all the same.
#define _GNU_SOURCE
#include <percolate/percpu_ops.h>

#include <stdio.h>
#include <time.h>

enum { rounds = 400, turns = 5000, most_cpus = 8192 };

static struct { intptr_t value; } __attribute__((aligned(128))) cells[most_cpus], shared;

static uint64_t nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

__attribute__((noinline)) static void add_atomically(void) {
    for (int turn = 0; turn < turns; turn++) {
        intptr_t one = 1;
        __asm__ volatile("lock xaddq %0, %1" : "+r"(one), "+m"(shared.value) : : "memory", "cc");
    }
}

__attribute__((noinline)) static void add_by_sequence(void) {
    for (int turn = 0; turn < turns;) {
        int cpu = percpu_current_cpu();
        if (rseq_addv(&cells[cpu].value, 1, cpu) == 0) { turn++; }
    }
}

int main(void) {
    // The first vector opens the gates.
    if (cpu_op_addv(&cells[0].value, 0, 0) != 0) { return 1; }
    double lowest = 1e9;
    for (int round = 0; round < rounds; round++) {
        uint64_t start = nanoseconds();
        add_atomically();
        uint64_t middle = nanoseconds();
        add_by_sequence();
        uint64_t end = nanoseconds();
        double ratio = (double)(end - middle) / (double)(middle - start);
        // A round in which the atomic additions were interrupted would flatter the sequence.
        if (ratio < lowest && middle - start < 20 * turns) { lowest = ratio; }
    }
    long sum = 0;
    for (int cpu = 0; cpu < most_cpus; cpu++) { sum += cells[cpu].value; }
    if (sum != (long)rounds * turns || shared.value != sum) { return 2; }
    printf("%.0f\n", lowest * 100);
    return 0;
}
