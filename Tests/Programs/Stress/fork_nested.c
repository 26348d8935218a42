/// A signal handler forks while its thread is inside fork, past the allocator's fork handler. The
/// outer fork still relies on the allocator being at rest: no other thread may change its shared
/// state until the outer fork is over.
///
/// The inner child never returns to the outer fork. It forks and makes threads like any other
/// process.
///
/// The place is reached by a fork handler that is registered before any library's, and so runs last
/// before the fork.
#include "check.h"

enum { rounds = 50, window_microseconds = 3000 };

static atomic_ulong changes;
static uint64_t most_changes;
static pid_t main_process;

static void expect_child_that_allocates(pid_t child, const char *what) {
    CHECK(child >= 0);
    if (child == 0) {
        free(malloc(200000));
        _exit(0);
    }
    expect_success(child, what);
}

static void *allocate(void *unused) {
    for (int i = 0; i < 100; i++) {
        void *volatile block = malloc(200000);
        CHECK(block != NULL);
        free(block);
    }
    return unused;
}

static void fork_inside(int number) {
    (void)number;
    static bool is_inside;
    if (is_inside) return;
    is_inside = true;
    pid_t child = fork();
    if (child == 0) {
        watch("a child of a fork inside a fork", 30);
        expect_child_that_allocates(fork(), "the inner child's child");
        pthread_t thread;
        CHECK_ZERO(pthread_create(&thread, NULL, allocate, NULL));
        CHECK_ZERO(pthread_join(thread, NULL));
        _exit(0);
    }
    expect_success(child, "the inner child");
    is_inside = false;
}

/// What other threads change from here on would be half done in the child. One change may end that
/// had begun.
static void before_fork(void) {
    static bool is_inside;
    if (is_inside || getpid() != main_process) return;
    is_inside = true;
    raise(SIGUSR1);
    uint64_t before = changes, end = now_nanoseconds() + window_microseconds * 1000;
    while (now_nanoseconds() < end) {}
    if (changes - before > most_changes) most_changes = changes - before;
    is_inside = false;
}

static void register_first(void) {
    main_process = getpid();
    pthread_atfork(before_fork, NULL, NULL);
}

__attribute__((section(".preinit_array"), used)) static void (*first)(void) = register_first;

/// Large blocks come from shared state, under a lock.
static void *change(void *unused) {
    for (;;) {
        void *volatile block = malloc(200000);
        free(block);
        atomic_fetch_add(&changes, 1);
    }
    return unused;
}

int main(void) {
    watch("a fork inside a fork", 100);
    struct sigaction action = {.sa_handler = fork_inside};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    pthread_t thread;
    CHECK_ZERO(pthread_create(&thread, NULL, change, NULL));
    for (int i = 0; i < rounds; i++) {
        uint64_t before = changes;
        while (changes - before < 100) sched_yield();
        expect_child_that_allocates(fork(), "the outer child");
    }
    if (most_changes > 1) fail("another thread allocated and freed %lu times inside a fork", most_changes);
    printf("fork_nested: %d forks\n", rounds);
    fflush(stdout);
    _exit(0);
}
