/// Signal handlers that fork, in threads that are inside the allocator, or wait for its locks, most
/// of the time, while another thread forks, too.
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

static atomic_int handled;

static void handle(int number) {
    (void)number;
    fork_once();
    atomic_fetch_add(&handled, 1);
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
    enum { threads_count = 4 };
    pthread_t threads[threads_count];
    for (int i = 0; i < threads_count; i++) CHECK_ZERO(pthread_create(&threads[i], NULL, churn, NULL));
    for (uint64_t round = 0; round < rounds; round++) {
        CHECK_ZERO(pthread_kill(threads[round % threads_count], SIGUSR1));
        CHECK_ZERO(pthread_kill(threads[(round + 1) % threads_count], SIGUSR1));
        fork_once();
    }
    CHECK(atomic_load(&handled) > 0);
    printf("fork_signal: %llu rounds, %d handled\n", (unsigned long long)rounds, atomic_load(&handled));
    fflush(stdout);
    _exit(0);
}
