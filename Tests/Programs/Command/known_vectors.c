// Runs vectors whose operations, operands and results are known, on the first CPU that it may use,
// and prints where the operands are: one line "NAME ADDRESS" each.
#define _GNU_SOURCE
#include <percolate/percpu_ops.h>

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t number = 37, copy, same[2] = {1, 1};
static uint32_t bits = 0x0f;

static struct cpu_op operation(int op, uint32_t len, const void *first, uint64_t second) {
    struct cpu_op result;
    memset(&result, 0, sizeof result);
    result.op = op;
    result.len = len;
    result.u.compare_op.a = (uintptr_t)first;
    result.u.compare_op.b = second;
    return result;
}

static struct cpu_op shift(int op, uint32_t len, void *p, uint32_t count) {
    struct cpu_op result = operation(op, len, p, 0);
    result.u.shift_op.bits = count;
    return result;
}

int main(void) {
    cpu_set_t all, one;
    int cpu = 0;
    if (sched_getaffinity(0, sizeof all, &all) != 0) { return 2; }
    while (!CPU_ISSET(cpu, &all)) { cpu++; }
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof one, &one) != 0) { return 2; }
    printf("cpu %d\nnumber %p\ncopy %p\nsame %p\nother %p\nbits %p\n", cpu, (void *)&number, (void *)&copy, (void *)same,
           (void *)(same + 1), (void *)&bits);

    struct cpu_op first[] = {
        operation(CPU_COMPARE_EQ_OP, 8, same, (uintptr_t)(same + 1)),
        operation(CPU_ADD_OP, 8, &number, 5),
        operation(CPU_ADD_RELEASE_OP, 8, &number, (uint64_t)-2),
        operation(CPU_OR_OP, 4, &bits, 0xf0),
        operation(CPU_AND_OP, 4, &bits, 0x3c),
        operation(CPU_XOR_OP, 4, &bits, 0xff),
        shift(CPU_LSHIFT_OP, 4, &bits, 4),
        shift(CPU_RSHIFT_OP, 4, &bits, 5),
        operation(CPU_MB_OP, 0, NULL, 0),
        operation(CPU_MEMCPY_OP, 8, &copy, (uintptr_t)&number),
        operation(CPU_MEMCPY_RELEASE_OP, 16, same, (uintptr_t)same),
    };
    struct cpu_op second[] = {
        operation(CPU_COMPARE_NE_OP, 8, same, (uintptr_t)(same + 1)),
        operation(CPU_ADD_OP, 8, &number, 1),
    };
    int done = cpu_opv(first, sizeof first / sizeof *first, cpu, 0);
    int stopped = cpu_opv(second, 2, cpu, 0);
    // The sequence did not commit on a CPU that the thread is not on: so it says, and goes on as a
    // vector.
    percolate_sequence_failed(&number, cpu + 1);
    printf("results %d %d\n", done, stopped);
    return done == 0 && stopped == 1 && number == 40 && copy == 40 && bits == 0x61 ? 0 : 1;
}
