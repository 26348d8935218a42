// Vectors in vfork children, which use their parent's memory and thread area, but are tasks of
// their own that run elsewhere: beside threads that run sequences on the same words. Sums are exact
// only if such a child never closes a gate as if it were its parent.
//
//     vfork_vectors [CHILDREN]
//
// With PLAIN_VFORK defined it is the control: the library hears nothing of these children, and
// takes them for their parent.
#define _GNU_SOURCE
#include "delays.h"

#include <percolate/percpu_ops.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { most_cpus = 64, adders = 3, additions = 20 };

#ifdef PLAIN_VFORK
enum { library_knows = 0 };
// 58 is the number of vfork(2). The return address must survive the child, which uses the same
// stack.
__asm__(".globl vfork\nvfork: popq %rdi\n movl $58, %eax\n syscall\n pushq %rdi\n ret\n");
#else
enum { library_knows = 1 };
#endif

static struct { intptr_t sum; } __attribute__((aligned(128))) data[most_cpus];
static int cpu_count;
static atomic_bool stop;

static void *add(void *counted) {
    long *count = counted;
    for (; !stop; ++*count) {
        int cpu = percpu_current_cpu();
        if (percpu_addv(&data[cpu].sum, 1, cpu) != 0) { abort(); }
    }
    return NULL;
}

static void run_on(int cpu) {
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET((size_t)cpu, &only);
    if (sched_setaffinity(0, sizeof only, &only) != 0) { _exit(2); }
}

// Not inlined: what it keeps must not share the frame that the parent returns to.
__attribute__((noinline)) static void be_vfork_child(long turn) {
    int here = (int)(turn % cpu_count);
    run_on(here);
    for (int addition = 0; addition < additions; addition++) {
        for (int cpu = 0; cpu < cpu_count; cpu++) {
            if (cpu_op_addv(&data[cpu].sum, 1, cpu) != 0) { _exit(3); }
        }
    }
    // The affinity that counts is the child's.
    struct cpu_op vector[] = {percolate_op_sum(CPU_ADD_OP, &data[here].sum, 0, sizeof(intptr_t))};
    if (cpu_opv(vector, 1, here, 0) != 0) { _exit(4); }
    for (int cpu = 0; cpu < cpu_count; cpu++) {
        if (library_knows && cpu != here && (cpu_opv(vector, 1, cpu, 0) != -1 || errno != EINVAL)) { _exit(5); }
    }
    struct cpu_op bad[] = {percolate_op_sum(CPU_ADD_OP, (void *)16, 1, 8)};
    if (cpu_opv(bad, 1, here, 0) != -1 || errno != EFAULT) { _exit(6); }
    _exit(0);
}

// Not inlined for the same reason. The wait status of a child, 0 when all was right.
__attribute__((noinline)) static int run_child(long turn) {
    pid_t child = vfork();
    if (child == 0) { be_vfork_child(turn); }
    int status = -1;
    return child > 0 && waitpid(child, &status, 0) == child ? status : -1;
}

int main(int argc, char **argv) {
    long children = argc > 1 ? atol(argv[1]) : 200, done[adders][16] = {{0}}, expected = 0, found = 0;
    cpu_count = (int)sysconf(_SC_NPROCESSORS_ONLN);
    if (cpu_count > most_cpus) { cpu_count = most_cpus; }
    alarm(150);
    if (cpu_op_addv(&data[0].sum, 0, 0) != 0) { return 2; }
    // Between the check of the gate and the commit, so that a vector that does not exclude a
    // sequence meets it.
    section_delay[3] = 3000;
    pthread_t threads[adders];
    for (int index = 0; index < adders; index++) { pthread_create(&threads[index], NULL, add, done[index]); }
    for (long turn = 0; turn < children; turn++) {
        // The parent's thread area names a CPU that the child leaves, mostly.
        run_on((int)((turn / cpu_count) % cpu_count));
        int status = run_child(turn);
        if (status != 0) {
            printf("child %ld ended with %x\n", turn, status);
            return 1;
        }
    }
    stop = 1;
    for (int index = 0; index < adders; index++) {
        pthread_join(threads[index], NULL);
        expected += done[index][0];
    }
    expected += children * additions * cpu_count;
    for (int cpu = 0; cpu < cpu_count; cpu++) { found += data[cpu].sum; }
    printf("%ld, expected %ld: %s\n", found, expected, found == expected ? "ok" : "WRONG");
    return found == expected ? 0 : 1;
}
