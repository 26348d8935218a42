// What the exported functions and the helpers return, and leave in errno, from a program's side.
//
//     helpers [NUMBER ERRNO]      where the kernel answers the system call of that number by an error
#define _GNU_SOURCE
#include "../expect.h"
#include "without_calls.h"

#include <percolate/percpu_ops.h>

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void check_affinity(void) {
    intptr_t value = 0;
    struct cpu_op vector[] = {percolate_op_sum(CPU_ADD_OP, &value, 1, sizeof value)};
    int last = (int)sysconf(_SC_NPROCESSORS_ONLN) - 1;
    cpu_set_t all, only;
    sched_getaffinity(0, sizeof all, &all);
    CPU_ZERO(&only);
    CPU_SET(0, &only);
    EXPECT(cpu_opv(vector, 1, last, 0) == 0);
    sched_setaffinity(0, sizeof only, &only);
    if (last > 0) {
        errno = 0;
        EXPECT(cpu_opv(vector, 1, last, 0) == -1 && errno == EINVAL);
        EXPECT(cpu_opv(vector, 0, last, 0) == -1 && errno == EINVAL);
        // The helpers may name every CPU of the machine.
        EXPECT(cpu_op_addv(&value, 1, last) == 0);
        EXPECT(percpu_addv(&value, 1, last) == 0);
        // The exchange is the program's own vector: it asks as cpu_opv does, and has another name
        // for every CPU.
        intptr_t expected = 4, old = 0, replacement = 4;
        errno = 0;
        EXPECT(cpu_op_cmpxchg(&value, &expected, &old, &replacement, sizeof value, last) == -1 && errno == EINVAL && old == 0);
        expected = 3;
        EXPECT(percolate_cpu_op_cmpxchg(&value, &expected, &old, &replacement, sizeof value, last) == 0 && old == 3);
        EXPECT(percolate_cpu_op_cmpxchg(&value, &expected, &old, &replacement, sizeof value, last) == 2 && old == 4);
        replacement = 3, expected = 4;
        EXPECT(percolate_cpu_op_cmpxchg(&value, &expected, &old, &replacement, sizeof value, last) == 0);
    }
    EXPECT(cpu_opv(vector, 1, 0, 0) == 0);
    sched_setaffinity(0, sizeof all, &all);
    int beyond = (int)sysconf(_SC_NPROCESSORS_CONF);
    for (int cpu = beyond; cpu < beyond + 300; cpu += 13) {
        EXPECT(cpu_opv(vector, 1, cpu, 0) == -1 && errno == EINVAL);
        EXPECT(cpu_op_addv(&value, 1, cpu) == -1 && errno == EINVAL);
    }
    EXPECT(cpu_op_addv(&value, 1, 0x7fffffff) == -1 && errno == EINVAL);
    EXPECT(cpu_op_addv(&value, 1, -1) == -1 && errno == EINVAL);
    EXPECT(percpu_addv(&value, 1, -1) == -1 && errno == EINVAL);
    EXPECT(percpu_addv(&value, 1, -2) == -1 && errno == EINVAL);
    EXPECT(value == (last > 0 ? 4 : 2));
}

// Each check is made for the vector and for the operation that tries the sequence first; on this
// CPU and on another one.
static void check_helpers(int cpu) {
    intptr_t v, v2, load;
    char from[100], to[100];
    memset(from, 7, sizeof from);
    for (int both = 0; both < 2; both++) {
        v = 5;
        EXPECT((both ? percpu_cmpeqv_storev : cpu_op_cmpeqv_storev)(&v, 4, 9, cpu) == 1 && v == 5);
        EXPECT((both ? percpu_cmpeqv_storev : cpu_op_cmpeqv_storev)(&v, 5, 9, cpu) == 0 && v == 9);
        if (both) {
            EXPECT(percpu_addv(&v, -10, cpu) == 0 && v == -1);
        } else {
            EXPECT(cpu_op_addv(&v, -10, cpu) == 0 && v == -1);
        }

        struct { intptr_t before, next; } node = {0, 77};
        v = (intptr_t)&node;
        intptr_t offset = sizeof(intptr_t);
        EXPECT((both ? percpu_cmpnev_storeoffp_load : cpu_op_cmpnev_storeoffp_load)(&v, v, offset, &load, cpu) == 1);
        EXPECT((both ? percpu_cmpnev_storeoffp_load : cpu_op_cmpnev_storeoffp_load)(&v, 0, offset, &load, cpu) == 0);
        EXPECT(v == 77 && load == (intptr_t)&node);

        v = 1, v2 = 2;
        EXPECT((both ? percpu_cmpeqv_storev_storev : cpu_op_cmpeqv_storev_storev)(&v, 0, &v2, 8, 9, cpu) == 1);
        EXPECT(v == 1 && v2 == 2);
        EXPECT((both ? percpu_cmpeqv_storev_storev : cpu_op_cmpeqv_storev_storev)(&v, 1, &v2, 8, 9, cpu) == 0);
        EXPECT(v == 9 && v2 == 8);
        EXPECT((both ? percpu_cmpeqv_storev_storev_release : cpu_op_cmpeqv_storev_storev_release)(&v, 9, &v2, 3, 4, cpu) == 0);
        EXPECT(v == 4 && v2 == 3);
        EXPECT(cpu_op_cmpeqv_storev_mb_storev(&v, 4, &v2, 5, 6, cpu) == 0 && v == 6 && v2 == 5);

        EXPECT((both ? percpu_cmpeqv_cmpeqv_storev : cpu_op_cmpeqv_cmpeqv_storev)(&v, 0, &v2, 5, 1, cpu) == 1);
        // The sequence says that a compare failed; the vector says which.
        int second = (both ? percpu_cmpeqv_cmpeqv_storev : cpu_op_cmpeqv_cmpeqv_storev)(&v, 6, &v2, 0, 1, cpu);
        EXPECT(second > 0 && (both || second == 2) && v == 6);
        EXPECT((both ? percpu_cmpeqv_cmpeqv_storev : cpu_op_cmpeqv_cmpeqv_storev)(&v, 6, &v2, 5, 1, cpu) == 0 && v == 1);

        for (size_t len = 0; len <= sizeof from; len++) {
            memset(to, 0, sizeof to);
            v = 1;
            EXPECT((both ? percpu_cmpeqv_memcpy_storev : cpu_op_cmpeqv_memcpy_storev)(&v, 0, to, from, len, 2, cpu) == 1);
            EXPECT((both ? percpu_cmpeqv_memcpy_storev : cpu_op_cmpeqv_memcpy_storev)(&v, 1, to, from, len, 2, cpu) == 0);
            EXPECT(v == 2 && memcmp(to, from, len) == 0 && (len == sizeof to || to[len] == 0));
        }
        memset(to, 0, sizeof to);
        EXPECT((both ? percpu_cmpeqv_memcpy_storev_release : cpu_op_cmpeqv_memcpy_storev_release)(&v, 2, to, from, 99, 3, cpu) == 0);
        EXPECT(v == 3 && to[98] == 7 && to[99] == 0);
        EXPECT(cpu_op_cmpeqv_memcpy_mb_storev(&v, 3, to, from, 100, 4, cpu) == 0 && v == 4 && to[99] == 7);
    }

    short current = 3, expected = 4, old = 0, replacement = 8;
    EXPECT(cpu_op_cmpxchg(&current, &expected, &old, &replacement, 2, cpu) == 2 && old == 3 && current == 3);
    expected = 3;
    EXPECT(cpu_op_cmpxchg(&current, &expected, &old, &replacement, 2, cpu) == 0 && old == 3 && current == 8);
    unsigned char byte = 250;
    EXPECT(cpu_op_add(&byte, 10, 1, cpu) == 0 && byte == 4);
    EXPECT(cpu_op_add_release(&byte, -5, 1, cpu) == 0 && byte == 255);
    EXPECT(cpu_op_add(&byte, 1, 3, cpu) == -1 && errno == EINVAL);
    EXPECT(cpu_op_add(&byte, 1, ((size_t)1 << 32) + 1, cpu) == -1 && errno == EINVAL);
}

static void check_sequences(void) {
    intptr_t slot = 5, *pointer = &slot;
    struct { intptr_t before; intptr_t *target; } box = {0, &slot}, *boxed = &box;
    int result, tries = 0;
    do {
        result = rseq_offset_deref_addv((intptr_t *)&boxed, offsetof(__typeof__(box), target), 37, percpu_current_cpu());
    } while (result < 0 && ++tries < 1000);
    EXPECT(result == 0 && *pointer == 42);
    // On another CPU a sequence leaves at once.
    int cpu = percpu_current_cpu();
    EXPECT(rseq_addv(&slot, 1, cpu + 1) == -1 || percpu_current_cpu() != cpu);
    EXPECT(rseq_addv(&slot, 1, -1) == -1);
    EXPECT(rseq_addv(&slot, 1, -2) == -1);
    EXPECT(rseq_addv(&slot, 1, 1 << 30) == -1);
    EXPECT(percolate_gates[0].state == PERCOLATE_GATE_CLOSED && percolate_gates[1].state == PERCOLATE_GATE_CLOSED);
}

int main(int argc, char **argv) {
    if (argc > 2) { answer_call_with((unsigned)atoi(argv[1]), atoi(argv[2])); }
    EXPECT(cpu_op_available() == 1);
    EXPECT(cpu_opv(NULL, 0, -1, CPU_OP_NR_FLAG) == NR_CPU_OPS);
    EXPECT(cpu_opv(NULL, 0, -1, CPU_OP_VEC_LEN_MAX_FLAG) == CPU_OP_VEC_LEN_MAX);
    EXPECT(cpu_opv(NULL, 0, 0, CPU_OP_NR_FLAG | CPU_OP_VEC_LEN_MAX_FLAG) == -1 && errno == EINVAL);
    EXPECT(cpu_op_get_current_cpu() >= 0);
    intptr_t value = 0;
    errno = 4711;
    EXPECT(cpu_op_addv(&value, 1, percpu_current_cpu()) == 0 && errno == 4711);
    struct cpu_op fault[] = {percolate_op_copy(CPU_MEMCPY_OP, &value, (void *)16, 8)};
    EXPECT(cpu_opv(fault, 1, percpu_current_cpu(), 0) == -1 && errno == EFAULT);
    EXPECT(cpu_opv((struct cpu_op *)16, 1, percpu_current_cpu(), 0) == -1 && errno == EFAULT);
    EXPECT(cpu_op_cmpeqv_storep_expect_fault(&value, 1, (intptr_t *)16, 0) == -1 && errno == EAGAIN);
    // A head that cannot be followed, and stays.
    value = 4096;
    EXPECT(cpu_op_cmpnev_storeoffp_load(&value, 0, 8, &value, 0) == -1 && errno == EAGAIN);
    check_affinity();
    for (int cpu = 0; cpu < (int)sysconf(_SC_NPROCESSORS_ONLN); cpu++) { check_helpers(cpu); }
    if (getenv("WITHOUT_SEQUENCES") == NULL) { check_sequences(); }
    puts(failures ? "WRONG" : "ok");
    return failures ? 1 : 0;
}
