// Counts the system calls of vectors that the program runs: a tracer writes down what a child asks
// the kernel between two marks.
//
// Prints a line for each kind of vector: its name, and how many calls.
#define _GNU_SOURCE
#include <percolate/percpu_ops.h>

#include <alloca.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// Each on a page of its own, apart from the stack.
static struct { intptr_t v, v2; } data __attribute__((aligned(4096)));
static struct { intptr_t next; } node __attribute__((aligned(4096)));
static char after __attribute__((aligned(4096)));

static int own, other;

static int add_here(void) { return cpu_op_addv(&data.v, 1, own); }
static int add_elsewhere(void) { return cpu_op_addv(&data.v, 1, other); }
static int add_strictly(void) {
    struct cpu_op vector[] = {percolate_op_sum(CPU_ADD_OP, &data.v, 1, sizeof data.v)};
    return cpu_opv(vector, 1, own, 0);
}
static int be_refused(void) {
    struct cpu_op vector[] = {percolate_op_sum(CPU_ADD_OP, &data.v, 1, sizeof data.v)};
    return cpu_opv(vector, 1, other, 0) == -1 && errno == EINVAL ? 0 : -1;
}
static int store_twice(void) {
    data.v = 1;
    return cpu_op_cmpeqv_storev_storev(&data.v, 1, &data.v2, 2, 3, own);
}
static int pop(void) {
    intptr_t load;
    data.v = (intptr_t)&node;
    return cpu_op_cmpnev_storeoffp_load(&data.v, 0, 0, &load, own);
}

static const struct {
    const char *name;
    int (*run)(void);
} kinds[] = {
    {"add", add_here},   {"add for another CPU", add_elsewhere}, {"compare and two stores", store_twice}, {"pop", pop},
    {"cpu_opv", add_strictly}, {"cpu_opv refused", be_refused},
};
enum { kind_count = sizeof kinds / sizeof *kinds, mark = 100000 };

static void be_counted(void) {
    // The frames below lie on one page, as they mostly do.
    volatile char *room = alloca(((uintptr_t)__builtin_frame_address(0) & 4095) + 1024);
    room[0] = 0;
    for (int kind = 0; kind < kind_count; kind++) {
        if (kinds[kind].run() != 0) { _exit(2); }
        syscall(mark + kind);
        int result = kinds[kind].run();
        syscall(mark + kind_count);
        if (result != 0) { _exit(3); }
    }
    _exit(0);
}

int main(void) {
    cpu_set_t only;
    own = sched_getcpu();
    other = own == 0 ? 1 : 0;
    CPU_ZERO(&only);
    CPU_SET((size_t)own, &only);
    if (sched_setaffinity(0, sizeof only, &only) != 0 || after != 0) { return 2; }
    pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        be_counted();
    }
    int status, current = kind_count;
    long counts[kind_count + 1] = {0};
    waitpid(child, &status, 0);
    ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    while (ptrace(PTRACE_SYSCALL, child, NULL, NULL) == 0 && waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
        struct __ptrace_syscall_info info;
        if (WSTOPSIG(status) != (SIGTRAP | 0x80)
            || ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info) <= 0
            || info.op != PTRACE_SYSCALL_INFO_ENTRY) {
            continue;
        }
        if (info.entry.nr >= mark && info.entry.nr <= mark + kind_count) {
            current = (int)(info.entry.nr - mark);
        } else {
            counts[current]++;
        }
    }
    for (int kind = 0; kind < kind_count; kind++) { printf("%s: %ld\n", kinds[kind].name, counts[kind]); }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
