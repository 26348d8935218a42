/// A signal handler that forks, in a thread that is inside the allocator most of the time, while another thread forks, too.
///
///   fork_signal ROUNDS
#include "check.h"

static void fork_once(void) {
    pid_t child = fork();
    if (child == 0) {
        free(malloc(100));
        _exit(0);
    }
    CHECK(child > 0);
    expect_success(child, "a child");
}

static volatile sig_atomic_t handled;

static void handle(int number) {
    (void)number;
    fork_once();
    handled++;
}

static void *churn(void *unused) {
    (void)unused;
    struct random random = {1};
    for (;;) {
        void *volatile block = malloc(40000 + random_below(&random, 60000));
        free(block);
    }
}

int main(int count, char **texts) {
    uint64_t rounds = count > 1 ? number_argument(texts[1]) : 500;
    watch("forks of a handler and of a thread", 100);
    struct sigaction action = {.sa_handler = handle};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    pthread_t thread;
    CHECK_ZERO(pthread_create(&thread, NULL, churn, NULL));
    for (uint64_t round = 0; round < rounds; round++) {
        CHECK_ZERO(pthread_kill(thread, SIGUSR1));
        fork_once();
    }
    CHECK(handled > 0);
    printf("fork_signal: %llu rounds, %d handled\n", (unsigned long long)rounds, (int)handled);
    fflush(stdout);
    _exit(0);
}
