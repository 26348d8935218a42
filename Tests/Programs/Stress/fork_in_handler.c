/// A signal handler forks, mostly out of malloc or free, and the child goes on with the call that
/// was interrupted. It gives memory back like any other process.
///
///   fork_in_handler [CHILDREN]
#include "resident.h"
#include <sys/time.h>

enum { large_size = 16 << 20 };

static volatile sig_atomic_t is_child;
static volatile uint64_t children, most_children;
static unsigned char *large;

static void handle(int number) {
    (void)number;
    if (is_child || children >= most_children) return;
    pid_t child = fork();
    if (child == 0) {
        is_child = 1;
        return;
    }
    CHECK(child > 0);
    children++;
    expect_success(child, "a child of a handler");
}

__attribute__((noreturn)) static void live_on(void) {
    watch("a child of a handler", 30);
    long before = resident_pages();
    free(large);
    // Light work brings it back to the kernel: nobody else does, since the child has one thread.
    for (int i = 0; resident_pages() > before - (large_size >> 12) / 2; i++) {
        if (i == 100) fail("the child keeps the memory of a freed block");
        pause_microseconds(20000);
        void *volatile block = malloc(40000);
        free(block);
    }
    for (size_t i = 0; i < 2000; i++) free(malloc(i * 37));
    _exit(0);
}

/// So that there is a scavenger, which the child does not have.
static void *idle(void *unused) {
    for (;;) pause();
    return unused;
}

int main(int count, char **texts) {
    most_children = count > 1 ? number_argument(texts[1]) : 300;
    CHECK((large = malloc(large_size)) != NULL);
    memset(large, 1, large_size);
    sigset_t signals, before;
    sigfillset(&signals);
    CHECK_ZERO(pthread_sigmask(SIG_BLOCK, &signals, &before));
    pthread_t thread;
    CHECK_ZERO(pthread_create(&thread, NULL, idle, NULL));
    CHECK_ZERO(pthread_sigmask(SIG_SETMASK, &before, NULL));
    pause_microseconds(100000);
    watch("forks in a handler", 100);
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    CHECK(sigaction(SIGVTALRM, &action, NULL) == 0);
    struct itimerval interval = {{0, 1000}, {0, 1000}};
    CHECK(setitimer(ITIMER_VIRTUAL, &interval, NULL) == 0);
    struct random random = {1};
    while (children < most_children) {
        void *volatile block = malloc(random_below(&random, 3) == 0 ? 1000 : 40000 + random_below(&random, 200000));
        CHECK(block != NULL);
        free(block);
        if (is_child) live_on();
    }
    printf("fork_in_handler: %llu children\n", (unsigned long long)children);
    return 0;
}
