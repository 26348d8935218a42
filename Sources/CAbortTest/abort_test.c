#define _GNU_SOURCE
#include "abort_test.h"

#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "section.h"

extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));

/// A thread that spins in a section, and what it saw.
struct victim {
    int cpu;
    /// Stored inside the section: from then on the thread is in it, or has left it.
    atomic_int entered;
    atomic_int left;
    int ready, aborted;
    /// How often the kernel took the CPU away while the section was open.
    long switches;
};

/// The area that a thread registers itself when glibc has not: it must outlive the registration,
/// and does.
static _Thread_local struct abort_test_area own_area;

static int pin(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return sched_setaffinity(0, sizeof set, &set);
}

/// The number of the `index`th CPU that this process may run on, -1 when there are not as many.
static int allowed_cpu(int index) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set)) return -1;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &set) && index-- == 0) return cpu;
    }
    return -1;
}

static long involuntary_switches(void) {
    struct rusage usage;
    return getrusage(RUSAGE_THREAD, &usage) ? 0 : usage.ru_nivcsw;
}

static void *spin(void *argument) {
    struct victim *victim = argument;
    struct abort_test_area *area = &own_area;
    int own = !(&__rseq_size && __rseq_size > 0);
    if (own) {
        victim->ready = !syscall(SYS_rseq, area, sizeof *area, 0, ABORT_TEST_SIGNATURE);
    } else {
        area = (struct abort_test_area *)((char *)__builtin_thread_pointer() + __rseq_offset);
        victim->ready = 1;
    }
    victim->ready = victim->ready && !pin(victim->cpu);
    if (victim->ready) {
        long before = involuntary_switches();
        victim->aborted = spin_in_section(&area->rseq_cs, &victim->entered, 1000000000);
        victim->switches = involuntary_switches() - before;
    }
    atomic_store(&victim->entered, 1);
    atomic_store(&victim->left, 1);
    if (own && victim->ready) syscall(SYS_rseq, area, sizeof *area, 1, ABORT_TEST_SIGNATURE);
    return NULL;
}

enum abort_test_result abort_test_preemption(void) {
    struct victim victim = {.cpu = allowed_cpu(0)};
    pthread_t thread;
    cpu_set_t before;
    if (victim.cpu < 0 || sched_getaffinity(0, sizeof before, &before)) return ABORT_TEST_NOT_RUN;
    if (pthread_create(&thread, NULL, spin, &victim)) return ABORT_TEST_NOT_RUN;
    int pinned = !pin(victim.cpu);
    // Wanting the same CPU all the time is what preempts the victim.
    while (!atomic_load(&victim.left)) continue;
    pthread_join(thread, NULL);
    sched_setaffinity(0, sizeof before, &before);
    if (!victim.ready || !pinned) return ABORT_TEST_NOT_RUN;
    if (victim.aborted) return ABORT_TEST_PASSED;
    return victim.switches > 0 ? ABORT_TEST_FAILED : ABORT_TEST_UNDECIDED;
}

enum abort_test_result abort_test_fence(void) {
    struct victim victim = {.cpu = allowed_cpu(1)};
    pthread_t thread;
    cpu_set_t before;
    if (victim.cpu < 0 || sched_getaffinity(0, sizeof before, &before)) return ABORT_TEST_NOT_RUN;
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, 0, 0)) return ABORT_TEST_NOT_RUN;
    if (pthread_create(&thread, NULL, spin, &victim)) return ABORT_TEST_NOT_RUN;
    int pinned = !pin(allowed_cpu(0));
    while (!atomic_load(&victim.entered)) sched_yield();
    int fenced = !syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, 0, 0);
    // Being taken off its CPU would abort the victim as well, so that a pass is no proof; a failure
    // is one.
    int in_time = !atomic_load(&victim.left);
    pthread_join(thread, NULL);
    sched_setaffinity(0, sizeof before, &before);
    if (!victim.ready || !pinned || !fenced) return ABORT_TEST_NOT_RUN;
    if (victim.aborted) return ABORT_TEST_PASSED;
    return in_time ? ABORT_TEST_FAILED : ABORT_TEST_UNDECIDED;
}
