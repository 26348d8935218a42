#define _GNU_SOURCE
#include "percolate/faults.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <ucontext.h>

#include "percolate/syscalls.h"

/// The kernel's form of an action (linux/signal.h).
struct action {
    void *handler;
    unsigned long flags;
    void *restorer;
    uint64_t mask;
};

static struct action before;
static percolate_fault_observer observe;

#if defined(__x86_64__)
enum { RESTORER = 0x04000000 };

/// What a handler returns to: the system call rt_sigreturn (15).
__asm__(
    ".text\n.p2align 4\n.type percolate_signal_return, @function\n.hidden percolate_signal_return\n"
    ".globl percolate_signal_return\npercolate_signal_return:\n"
    "movq $15, %rax\nsyscall\n.size percolate_signal_return, . - percolate_signal_return\n");
extern void percolate_signal_return(void) PERCOLATE_HIDDEN;

static void report(siginfo_t *information, const mcontext_t *machine) {
    const greg_t *registers = machine->gregs;
    observe((uintptr_t)information->si_addr, registers[REG_ERR] & 2, (uintptr_t)registers[REG_RIP],
        (uintptr_t)registers[REG_RSP], (uintptr_t)registers[REG_RBP]);
}
#elif defined(__aarch64__)
/// A handler returns to the kernel's own code.
enum { RESTORER = 0 };
#define percolate_signal_return ((void (*)(void))0)

/// Whether the fault was a store, from the syndrome register that the kernel adds
/// (asm/sigcontext.h).
static bool is_store(const mcontext_t *machine) {
    const unsigned char *next = machine->__reserved, *end = next + sizeof machine->__reserved;
    while (next + sizeof(struct esr_context) <= end) {
        const struct esr_context *record = (const void *)next;
        if (record->head.magic == ESR_MAGIC) return record->esr >> 6 & 1;
        if (record->head.size == 0) break;
        next += record->head.size;
    }
    return false;
}

static void report(siginfo_t *information, const mcontext_t *machine) {
    observe((uintptr_t)information->si_addr, is_store(machine), (uintptr_t)machine->pc, (uintptr_t)machine->sp,
        (uintptr_t)machine->regs[29]);
}
#else
#error "no registers of a fault for this architecture"
#endif

/// What the kernel would have done without us. The default ends the process where the fault is: it
/// comes again once this returns.
static void pass_on(int number, siginfo_t *information, void *context) {
    if (before.handler == (void *)SIG_DFL || before.handler == (void *)SIG_IGN) {
        struct action standard = {(void *)SIG_DFL, RESTORER, (void *)percolate_signal_return, 0};
        percolate_syscall6(SYS_rt_sigaction, number, (long)&standard, 0, 8, 0, 0);
        // A signal that somebody sent does not come again by itself.
        if (information->si_code <= 0) {
            percolate_syscall6(SYS_tgkill, percolate_getpid(), percolate_gettid(), number, 0, 0, 0);
        }
        return;
    }
    uint64_t saved = 0, mask = before.mask;
    if (!(before.flags & SA_NODEFER)) mask |= UINT64_C(1) << (number - 1);
    percolate_syscall6(SYS_rt_sigprocmask, SIG_BLOCK, (long)&mask, (long)&saved, 8, 0, 0);
    if (before.flags & SA_SIGINFO) {
        ((void (*)(int, siginfo_t *, void *))before.handler)(number, information, context);
    } else {
        ((void (*)(int))before.handler)(number);
    }
    percolate_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&saved, 0, 8, 0, 0);
}

static void on_fault(int number, siginfo_t *information, void *context) {
    if (information->si_code > 0) report(information, &((ucontext_t *)context)->uc_mcontext);
    pass_on(number, information, context);
}

void percolate_watch_faults(percolate_fault_observer observer) {
    static atomic_flag done = ATOMIC_FLAG_INIT;
    if (atomic_flag_test_and_set(&done)) return;
    observe = observer;
    if (percolate_syscall6(SYS_rt_sigaction, SIGSEGV, 0, (long)&before, 8, 0, 0) != 0) return;
    // On the alternate stack where there is one, as a program that grows stacks by faults needs it.
    // Not deferred: `pass_on` does what the handler before asked for.
    struct action own = {
        (void *)on_fault, SA_SIGINFO | SA_ONSTACK | SA_NODEFER | RESTORER, (void *)percolate_signal_return, 0};
    percolate_syscall6(SYS_rt_sigaction, SIGSEGV, (long)&own, 0, 8, 0, 0);
}
