// A vector that another thread changes while it is checked and run: what was checked is what runs.
//
//     changing [ROUNDS]
#define _GNU_SOURCE
#include <percolate/cpu_op.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static intptr_t counter;
static struct cpu_op vector[2] __attribute__((aligned(64)));
static atomic_bool stop;

static void *change(void *unused) {
    (void)unused;
    volatile struct cpu_op *first = &vector[0];
    for (unsigned turn = 0; !stop; turn++) {
        switch (turn % 6) {
        case 0: first->len = 3; break;
        case 1: first->len = 8; break;
        case 2: first->u.arithmetic_op.p = 16; break;
        case 3: first->u.arithmetic_op.p = (uintptr_t)&counter; break;
        case 4: first->op = 99; break;
        default: first->op = CPU_ADD_OP; break;
        }
    }
    return NULL;
}

int main(int argc, char **argv) {
    long rounds = argc > 1 ? atol(argv[1]) : 100000, added = 0, invalid = 0, faulted = 0;
    intptr_t zero = 0;
    vector[0] = percolate_op_sum(CPU_ADD_OP, &counter, 1, sizeof counter);
    vector[1] = percolate_op_compare(CPU_COMPARE_EQ_OP, &zero, &zero, sizeof zero);
    pthread_t thread;
    pthread_create(&thread, NULL, change, NULL);
    // Until each answer has come, if the machine is slow to let the other thread run.
    for (long round = 0; round < rounds || ((!added || !invalid || !faulted) && round < 1000 * rounds); round++) {
        int result = percolate_cpu_opv(vector, 2, 0, 0);
        added += result == 0;
        invalid += result == -1 && errno == EINVAL;
        faulted += result == -1 && errno == EFAULT;
        if (result > 0 || (result == -1 && errno != EINVAL && errno != EFAULT)) {
            printf("result %d, errno %d\n", result, errno);
            return 1;
        }
    }
    stop = 1;
    pthread_join(thread, NULL);
    int right = counter == added && added && invalid && faulted;
    printf("%ld added, %ld invalid, %ld faulted, counter %ld: %s\n", added, invalid, faulted, (long)counter,
           right ? "ok" : "WRONG");
    return right ? 0 : 1;
}
