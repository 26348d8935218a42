/// Says that it is ready, and waits for Ctrl-C: with the argument `handle` exits with status 42
/// then, else dies of it.
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

static void interrupt(int signal) {
    (void)signal;
    interrupted = 1;
}

int main(int argc, char **argv) {
    sigset_t blocked, before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    if (argc > 1 && !strcmp(argv[1], "handle")) signal(SIGINT, interrupt);
    puts("ready");
    fflush(stdout);
    sigdelset(&before, SIGINT);
    // The signal arrives in here or not at all: none is lost between the line above and the wait.
    while (!interrupted) sigsuspend(&before);
    puts("interrupted");
    return 42;
}
