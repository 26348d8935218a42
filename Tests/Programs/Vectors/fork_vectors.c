// Forks while other threads close gates. Each child finds every gate as it should be and every lock
// free: it runs vectors and sequences for all CPUs, allocates, and forks again.
#define _GNU_SOURCE
#include <percolate/percpu_ops.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static intptr_t sums[64][16];
static atomic_bool stop;
static int cpu_count;

static void *close_gates(void *argument) {
    unsigned state = (unsigned)(uintptr_t)argument;
    while (!stop) {
        int cpu = (int)((state = state * 1103515245 + 12345) >> 16) % cpu_count;
        if (cpu_op_addv(&sums[cpu][0], 1, cpu) != 0) { abort(); }
        free(malloc(state % 5000));
    }
    return NULL;
}

// What a child does, and its child after it. 0 when all was as it should be.
static int live(int depth) {
    alarm(60);
    for (int round = 0; round < 20; round++) {
        for (int cpu = 0; cpu < cpu_count; cpu++) {
            if (cpu_op_addv(&sums[cpu][1], 1, cpu) != 0 || percpu_addv(&sums[cpu][1], 1, cpu) != 0) { return 2; }
            if (percolate_gates[cpu + 2].state != PERCOLATE_GATE_OPEN && !getenv("WITHOUT_SEQUENCES")) { return 3; }
        }
        free(malloc(3000));
    }
    for (int cpu = 0; cpu < cpu_count; cpu++) {
        if (sums[cpu][1] != 40 * (depth + 1)) { return 4; }
    }
    if (depth > 0) { return 0; }
    pid_t child = fork();
    if (child == 0) { _exit(live(1)); }
    int status;
    waitpid(child, &status, 0);
    return status == 0 ? 0 : 5;
}

int main(int argc, char **argv) {
    long forks = argc > 1 ? atol(argv[1]) : 200;
    cpu_count = (int)sysconf(_SC_NPROCESSORS_ONLN);
    if (cpu_count > 64) { cpu_count = 64; }
    pthread_t threads[4];
    for (uintptr_t index = 0; index < 4; index++) { pthread_create(&threads[index], NULL, close_gates, (void *)(index + 1)); }
    for (long index = 0; index < forks; index++) {
        pid_t child = fork();
        if (child == 0) { _exit(live(0)); }
        int status;
        waitpid(child, &status, 0);
        if (status != 0) {
            printf("child %ld ended with %x\n", index, status);
            return 1;
        }
    }
    stop = 1;
    for (int index = 0; index < 4; index++) { pthread_join(threads[index], NULL); }
    puts("ok");
    return 0;
}
