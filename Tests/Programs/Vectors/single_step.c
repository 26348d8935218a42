// A tracer steps one instruction at a time through every operation, and through malloc and free,
// and arrives.
//
//     single_step LIMIT
//
// A sequence is aborted at every step, so an operation that only retried would never end: LIMIT
// steps are allowed each. Then the tracer stops a thread in the middle of a vector, behind the
// closed gate: others allocate, run vectors for another CPU, and wait for this one; a signal
// handler runs in the thread that waits; then it goes on.
#define _GNU_SOURCE
#include <percolate/percpu_ops.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static intptr_t v, v2, load;
static struct { intptr_t next; } node;
static char from[40], to[40];
static void *block;

static int addv(int cpu) { return percpu_addv(&v, 1, cpu); }
static int cmpeqv_storev(int cpu) { return percpu_cmpeqv_storev(&v, v, 5, cpu); }
static int pop(int cpu) {
    v = (intptr_t)&node;
    return percpu_cmpnev_storeoffp_load(&v, 0, 0, &load, cpu);
}
static int storev_storev(int cpu) { return percpu_cmpeqv_storev_storev(&v, v, &v2, 1, 2, cpu); }
static int storev_storev_release(int cpu) { return percpu_cmpeqv_storev_storev_release(&v, v, &v2, 1, 2, cpu); }
static int cmpeqv_cmpeqv_storev(int cpu) { return percpu_cmpeqv_cmpeqv_storev(&v, v, &v2, v2, 2, cpu); }
static int memcpy_storev(int cpu) { return percpu_cmpeqv_memcpy_storev(&v, v, to, from, sizeof to, 3, cpu); }
static int memcpy_storev_release(int cpu) { return percpu_cmpeqv_memcpy_storev_release(&v, v, to, from, 33, 3, cpu); }
static int allocate(int cpu) {
    (void)cpu;
    block = malloc(100);
    return block ? 0 : -1;
}
static int give_back(int cpu) {
    (void)cpu;
    free(block);
    return 0;
}
static int allocate_much(int cpu) {
    (void)cpu;
    void *blocks[40];
    for (int index = 0; index < 40; index++) { blocks[index] = malloc(48); }
    for (int index = 0; index < 40; index++) { free(blocks[index]); }
    return 0;
}

static const struct {
    const char *name;
    int (*run)(int cpu);
} operations[] = {
    {"addv", addv}, {"cmpeqv_storev", cmpeqv_storev}, {"cmpnev_storeoffp_load", pop},
    {"cmpeqv_storev_storev", storev_storev}, {"cmpeqv_storev_storev_release", storev_storev_release},
    {"cmpeqv_cmpeqv_storev", cmpeqv_cmpeqv_storev}, {"cmpeqv_memcpy_storev", memcpy_storev},
    {"cmpeqv_memcpy_storev_release", memcpy_storev_release}, {"malloc", allocate}, {"free", give_back},
    {"malloc and free of many", allocate_much},
};

// The child stops itself before and after the operation; in between it is stepped.
static void be_stepped(int (*run)(int cpu)) {
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    int cpu = percpu_current_cpu();
    free(malloc(100));
    raise(SIGSTOP);
    int result = run(cpu);
    raise(SIGUSR1);
    _exit(result == 0 ? 0 : 1);
}

static int step_through(const char *name, int (*run)(int cpu), long limit) {
    pid_t child = fork();
    if (child == 0) { be_stepped(run); }
    int status;
    waitpid(child, &status, 0);
    long steps = 0;
    for (; steps < limit; steps++) {
        if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) != 0) { break; }
        waitpid(child, &status, 0);
        if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP) { break; }
    }
    int arrived = WIFSTOPPED(status) && WSTOPSIG(status) == SIGUSR1;
    if (arrived) {
        ptrace(PTRACE_DETACH, child, NULL, NULL);
        waitpid(child, &status, 0);
    } else {
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
    }
    int right = arrived && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    printf("%s: %ld steps%s\n", name, steps, right ? "" : ": DID NOT ARRIVE");
    return right;
}

// What the tracer and the process with the stopped holder share.
struct shared {
    volatile pid_t holder;
    volatile int cpu, others_done, waiter_started, waiter_done, handler_started, handler_done;
};
static struct shared *shared;

static void *hold(void *unused) {
    (void)unused;
    shared->cpu = percpu_current_cpu();
    shared->holder = gettid();
    while (shared->holder) { usleep(100); }
    intptr_t one = 0;
    int result = cpu_op_addv(&one, 1, shared->cpu);
    return (void *)(intptr_t)(result == 0 && one == 1);
}

// In the thread that waits: it waits as well, and both arrive.
static void handle(int signal) {
    (void)signal;
    int saved = errno;
    shared->handler_started = 1;
    free(malloc(100));
    shared->handler_done = cpu_op_addv(&v2, 1, shared->cpu) == 0;
    errno = saved;
}

static void be_held(void) {
    struct sigaction action = {.sa_handler = handle};
    sigaction(SIGUSR2, &action, NULL);
    pthread_t holder;
    pthread_create(&holder, NULL, hold, NULL);
    int cpu = -1;
    while ((cpu = shared->cpu) < 0) { usleep(100); }
    while (percolate_gates[cpu + 2].state != PERCOLATE_GATE_CLOSED) { usleep(100); }
    void *blocks[1000];
    for (int round = 0; round < 20; round++) {
        for (int index = 0; index < 1000; index++) { blocks[index] = malloc((size_t)index + 1); }
        for (int index = 0; index < 1000; index++) { free(blocks[index]); }
    }
    int other = cpu == 0 ? 1 : 0;
    if (other < sysconf(_SC_NPROCESSORS_ONLN) && cpu_op_addv(&v, 1, other) != 0) { _exit(3); }
    shared->others_done = 1;
    shared->waiter_started = 1;
    if (cpu_op_addv(&v, 1, cpu) != 0) { _exit(4); }
    shared->waiter_done = 1;
    void *right;
    pthread_join(holder, &right);
    _exit(right ? 0 : 5);
}

static int stop_in_the_middle(long limit) {
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    shared->cpu = -1;
    pid_t child = fork();
    if (child == 0) { be_held(); }
    while (!shared->holder) { usleep(100); }
    pid_t holder = shared->holder;
    int status;
    if (ptrace(PTRACE_ATTACH, holder, NULL, NULL) != 0) { return 0; }
    waitpid(holder, &status, __WALL);
    shared->holder = 0;
    long steps = 0;
    uintptr_t gate = (uintptr_t)&percolate_gates[shared->cpu + 2].state;
    while (ptrace(PTRACE_PEEKDATA, holder, (void *)gate, NULL) != PERCOLATE_GATE_CLOSED && steps++ < limit) {
        ptrace(PTRACE_SINGLESTEP, holder, NULL, NULL);
        waitpid(holder, &status, __WALL);
    }
    int closed = steps < limit;
    // The holder stands still now.
    for (int waited = 0; !shared->waiter_started && waited < 10000; waited++) { usleep(1000); }
    usleep(100 * 1000);
    int others = shared->others_done, waits = shared->waiter_started && !shared->waiter_done;
    syscall(SYS_tgkill, child, child, SIGUSR2);
    for (int waited = 0; !shared->handler_started && waited < 10000; waited++) { usleep(1000); }
    int handled = shared->handler_started && !shared->waiter_done;
    ptrace(PTRACE_DETACH, holder, NULL, NULL);
    waitpid(child, &status, 0);
    int right = closed && others && waits && handled && shared->handler_done && WIFEXITED(status)
        && WEXITSTATUS(status) == 0;
    printf("stopped holder: closed %d, others went on %d, the vector waited %d, its handler ran %d, end %d\n", closed, others,
           waits, handled, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    return right;
}

int main(int argc, char **argv) {
    long limit = argc > 1 ? atol(argv[1]) : 100000;
    int right = 1;
    // The first vector opens the gates, for the children too.
    if (cpu_op_addv(&v, 0, 0) != 0) { return 2; }
    for (size_t index = 0; index < sizeof operations / sizeof *operations; index++) {
        right &= step_through(operations[index].name, operations[index].run, limit);
    }
    right &= stop_in_the_middle(limit);
    puts(right ? "ok" : "WRONG");
    return right ? 0 : 1;
}
