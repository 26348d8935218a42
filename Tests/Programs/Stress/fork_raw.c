/// Forks by the raw system call, which runs no fork handler: the child must be able to allocate
/// when no other thread was allocating at that moment, and to exec in any case.
///
///   fork_raw [FORKS]
#include "check.h"

static atomic_bool finished, quiet;
static atomic_int quiet_threads;

static pid_t raw_fork(void) { return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); }

static void allocate_some(void) {
    void *blocks[200];
    for (size_t i = 0; i < 200; i++) {
        size_t size = i % 20 == 0 ? i * 5000 : i * 17;
        blocks[i] = malloc(size);
        CHECK(blocks[i] != NULL);
        memset(blocks[i], 1, size);
    }
    for (size_t i = 0; i < 200; i++) free(blocks[i]);
}

static void *allocate(void *argument) {
    (void)argument;
    while (!atomic_load(&finished)) {
        if (atomic_load(&quiet)) {
            atomic_fetch_add(&quiet_threads, 1);
            while (atomic_load(&quiet)) pause_microseconds(20);
            atomic_fetch_sub(&quiet_threads, 1);
        }
        allocate_some();
    }
    return NULL;
}

static void fork_and_allocate(int depth) {
    void *inherited = malloc(1000);
    CHECK(inherited != NULL);
    pid_t child = raw_fork();
    if (child == 0) {
        watch("a raw fork child", 20);
        allocate_some();
        free(inherited);
        if (depth == 0) fork_and_allocate(1);
        _exit(0);
    }
    CHECK(child > 0);
    free(inherited);
    expect_success(child, "a raw fork child");
}

static void fork_and_exec(void) {
    pid_t child = raw_fork();
    if (child == 0) {
        execl("/bin/true", "true", (char *)NULL);
        _exit(9);
    }
    CHECK(child > 0);
    expect_success(child, "a raw fork child that execs");
}

int main(int count, char **texts) {
    uint64_t forks = count > 1 ? number_argument(texts[1]) : 200;
    watch("raw forks", 110);
    for (uint64_t i = 0; i < forks; i++) fork_and_allocate(0);
    enum { threads = 3 };
    pthread_t started[threads];
    for (int i = 0; i < threads; i++) CHECK_ZERO(pthread_create(&started[i], NULL, allocate, NULL));
    for (uint64_t i = 0; i < forks; i++) {
        atomic_store(&quiet, true);
        while (atomic_load(&quiet_threads) < threads) pause_microseconds(20);
        fork_and_allocate(0);
        atomic_store(&quiet, false);
        while (atomic_load(&quiet_threads) > 0) pause_microseconds(20);
        if (i % 4 == 0) fork_and_exec();
    }
    atomic_store(&finished, true);
    for (int i = 0; i < threads; i++) CHECK_ZERO(pthread_join(started[i], NULL));
    printf("fork_raw: %llu forks\n", (unsigned long long)(2 * forks));
    return 0;
}
