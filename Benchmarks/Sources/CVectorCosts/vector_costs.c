#define _GNU_SOURCE
#include "vector_costs.h"

#include <percolate/percpu_ops.h>
#include <percolate/probes.h>
#include <percolate/syscalls.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { most_cpus = 8192 };

struct node {
    struct node *next;
};

/// The words of one CPU, on cache lines of their own.
struct cell {
    intptr_t value, first, second, list;
} __attribute__((aligned(128)));

static struct cell cells[most_cpus], shared;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void expect(int result, const char *what) {
    if (result == 0) return;
    fprintf(stderr, "%s did not succeed: %d\n", what, result);
    abort();
}

void cost_of_locked_add(long count) {
    for (; count > 0; count--) {
        intptr_t one = 1;
        __asm__ volatile("lock xaddq %0, %1" : "+r"(one), "+m"(shared.value) : : "memory", "cc");
    }
}

void cost_of_mutex(long count) {
    for (; count > 0; count--) {
        pthread_mutex_lock(&mutex);
        shared.value++;
        pthread_mutex_unlock(&mutex);
    }
}

void cost_of_section(long count) {
    while (count > 0) {
        int cpu = percpu_current_cpu();
        if (rseq_addv(&cells[cpu].value, 1, cpu) == 0) count--;
    }
}

void cost_of_list_section(long count) {
    static struct node node;
    bool isIn = false;
    while (count > 0) {
        int cpu = percpu_current_cpu(), result;
        if (isIn) {
            intptr_t head;
            result = rseq_cmpnev_storeoffp_load(&cells[cpu].list, 0, offsetof(struct node, next), &head, cpu);
        } else {
            node.next = NULL;
            result = rseq_cmpeqv_storev(&cells[cpu].list, 0, (intptr_t)&node, cpu);
        }
        if (result > 0) expect(result, "a section on a list");
        if (result != 0) continue;
        isIn = !isIn;
        count--;
    }
    if (isIn) cells[percpu_current_cpu()].list = 0;
}

void cost_of_checked_add(int cpu, long count) {
    for (; count > 0; count--) expect(cpu_op_addv(&cells[cpu].first, 1, cpu), "cpu_op_addv");
}

void cost_of_checked_stores(int cpu, long count) {
    for (; count > 0; count--) {
        int result = cpu_op_cmpeqv_storev_storev(&cells[cpu].second, 0, &cells[cpu].first, 1, 0, cpu);
        expect(result, "cpu_op_cmpeqv_storev_storev");
    }
}

void cost_of_strict_add(int cpu, long count) {
    for (; count > 0; count--) {
        struct cpu_op vector[] = {percolate_op_sum(CPU_ADD_OP, &cells[cpu].first, 1, sizeof(intptr_t))};
        expect(cpu_opv(vector, 1, cpu, 0), "cpu_opv");
    }
}

// By the C library, as a program does: written into this loop the call takes 270 or 410 ns, which depends on the loop's address only.
void cost_of_fence(int cpu, long count) {
    for (; count > 0; count--) {
        long result = syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, MEMBARRIER_CMD_FLAG_CPU, cpu);
        expect((int)result, "the fence");
    }
}

bool stay_on(int cpu) {
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET((size_t)cpu, &only);
    return sched_setaffinity(0, sizeof only, &only) == 0;
}

int allowed_cpus(int *cpus, int room) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 0;
    int found = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET((size_t)cpu, &set)) continue;
        if (found < room) cpus[found] = cpu;
        found++;
    }
    return found;
}

/// What the other thread is to do, and does: it sleeps on the first while that is `asleep`.
enum state { asleep, awake };
static uint32_t wanted = asleep, actual = awake;

/// Changes as long as the other thread runs.
static uint64_t sign_of_life __attribute__((aligned(128)));

static void *be_the_other_thread(void *argument) {
    int cpu = *(int *)argument;
    free(argument);
    if (!stay_on(cpu)) {
        __atomic_store_n(&wanted, awake, __ATOMIC_RELEASE);
        return NULL;
    }
    for (;;) {
        while (__atomic_load_n(&wanted, __ATOMIC_ACQUIRE) == asleep) {
            __atomic_store_n(&actual, asleep, __ATOMIC_RELEASE);
            percolate_futex_wait(&wanted, asleep);
        }
        __atomic_store_n(&actual, awake, __ATOMIC_RELEASE);
        for (int turn = 0; turn < 200; turn++) (void)rseq_addv(&cells[cpu].value, 1, cpu);
        __atomic_store_n(&sign_of_life, sign_of_life + 1, __ATOMIC_RELAXED);
    }
}

bool start_other_thread(int cpu) {
    pthread_t thread;
    int *argument = malloc(sizeof cpu);
    if (argument == NULL) return false;
    *argument = cpu;
    if (pthread_create(&thread, NULL, be_the_other_thread, argument) != 0) {
        free(argument);
        return false;
    }
    pthread_detach(thread);
    while (__atomic_load_n(&actual, __ATOMIC_ACQUIRE) != asleep) {
        if (__atomic_load_n(&wanted, __ATOMIC_ACQUIRE) == awake) return false;
        percolate_nap(1);
    }
    return true;
}

void keep_other_thread_busy(bool busy) {
    uint32_t state = busy ? awake : asleep;
    __atomic_store_n(&wanted, state, __ATOMIC_RELEASE);
    if (busy) percolate_futex_wake(&wanted, 1);
    while (__atomic_load_n(&actual, __ATOMIC_ACQUIRE) != state) percolate_nap(1);
    // Asleep is said right before the sleep.
    if (!busy) percolate_nap(1);
}

bool other_thread_runs(uint64_t nanoseconds) {
    uint64_t seen = __atomic_load_n(&sign_of_life, __ATOMIC_RELAXED), end = percolate_nanoseconds() + nanoseconds;
    while (__atomic_load_n(&sign_of_life, __ATOMIC_RELAXED) == seen) {
        if (percolate_nanoseconds() > end) return false;
    }
    return true;
}
