/// A program with a handler of SIGSEGV of its own, set before or after blocks are guarded: it gets
/// its faults as without.
///
///   faults before|after|default
///
/// `before`: with SA_SIGINFO, on an alternate stack; leaves by a jump and by return, and finds its
/// mask and its context as they must be. `after`: a plain handler that is set when blocks are
/// guarded already. `default`: no handler; the process dies of SIGSEGV.
#include "samples.h"

#include <setjmp.h>
#include <ucontext.h>

static sigjmp_buf out;
static char *page;
static volatile int faults;

static void guard_some(void) {
    CHECK(heap->set_sampling(0, 1));
    for (int block = 0; block < 10; block++) free(malloc(100));
    CHECK(heap->set_sampling(0, 0));
}

static void with_information(int number, siginfo_t *information, void *context) {
    sigset_t mask;
    char here;
    CHECK(number == SIGSEGV && context != NULL);
    CHECK((char *)information->si_addr == page);
    CHECK(((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] != 0);
    sigprocmask(SIG_SETMASK, NULL, &mask);
    CHECK(sigismember(&mask, SIGSEGV) && sigismember(&mask, SIGUSR1) && !sigismember(&mask, SIGUSR2));
    stack_t stack;
    CHECK(sigaltstack(NULL, &stack) == 0);
    CHECK(&here >= (char *)stack.ss_sp && &here < (char *)stack.ss_sp + stack.ss_size);
    faults++;
    if (faults % 2) siglongjmp(out, 1);
    CHECK(mprotect(page, 4096, PROT_READ | PROT_WRITE) == 0);
}

static void plain(int number) {
    CHECK(number == SIGSEGV);
    faults++;
    siglongjmp(out, 1);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    find_heap();
    page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    if (!strcmp(argv[1], "default")) {
        guard_some();
        *(volatile char *)page = 1;
        fail("no fault");
    }
    stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};
    CHECK(sigaltstack(&stack, NULL) == 0);
    struct sigaction action = {0};
    bool isBefore = !strcmp(argv[1], "before");
    if (isBefore) {
        action.sa_sigaction = with_information;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK;
        sigaddset(&action.sa_mask, SIGUSR1);
    } else {
        action.sa_handler = plain;
        guard_some();
    }
    CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
    if (isBefore) guard_some();
    for (int round = 0; round < 100; round++) {
        CHECK(mprotect(page, 4096, PROT_NONE) == 0);
        if (sigsetjmp(out, 1) == 0) *(volatile char *)page = 1;
        guard_some();
    }
    CHECK(faults == 100);
    // A signal that somebody sent is no fault.
    if (!isBefore && sigsetjmp(out, 1) == 0) {
        CHECK(raise(SIGSEGV) == 0);
        fail("no signal");
    }
    puts("faults: passed on");
    return 0;
}
