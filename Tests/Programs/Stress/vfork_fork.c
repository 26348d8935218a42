/// A vfork child forks, and the child of that goes on with threads of its own: its memory is its
/// own, but the kernel registered no restartable sequences for its first thread, whose area says
/// what the vfork child's parent's said. Two threads that took the same cache for theirs would be
/// given the same blocks.
///
///   vfork_fork ROUNDS
#include "check.h"

enum { blocks_count = 32, words = 6, milliseconds = 150, extra_threads = 2 };

static struct processors processors;
static atomic_bool finished;

static void *operate(void *argument) {
    uintptr_t number = (uintptr_t)argument;
    if (number != 0) run_on(processors.number[number % (uint64_t)processors.count]);
    uintptr_t *blocks[blocks_count];
    while (!atomic_load(&finished)) {
        for (uintptr_t i = 0; i < blocks_count; i++) {
            blocks[i] = malloc(words * sizeof *blocks[i]);
            CHECK(blocks[i] != NULL);
            for (int j = 0; j < words; j++) blocks[i][j] = number << 8 | i;
        }
        for (uintptr_t i = 0; i < blocks_count; i++) {
            for (int j = 0; j < words; j++) CHECK(blocks[i][j] == (number << 8 | i));
            free(blocks[i]);
        }
    }
    return NULL;
}

static void *finish_later(void *unused) {
    pause_microseconds(milliseconds * 1000);
    atomic_store(&finished, true);
    return unused;
}

__attribute__((noreturn)) static void live_on(void) {
    watch("threads of a vfork child's child", 60);
    pthread_t threads[extra_threads], clock;
    for (uintptr_t i = 0; i < extra_threads; i++) CHECK_ZERO(pthread_create(&threads[i], NULL, operate, (void *)(i + 1)));
    CHECK_ZERO(pthread_create(&clock, NULL, finish_later, NULL));
    operate(NULL);
    for (int i = 0; i < extra_threads; i++) CHECK_ZERO(pthread_join(threads[i], NULL));
    CHECK_ZERO(pthread_join(clock, NULL));
    _exit(0);
}

__attribute__((noinline)) static void in_vfork_child(void) {
    pid_t child = fork();
    if (child == 0) live_on();
    CHECK(child > 0);
    expect_success(child, "a vfork child's child");
}

int main(int count, char **texts) {
    uint64_t rounds = count > 1 ? number_argument(texts[1]) : 10;
    watch("vfork children that fork", 100);
    processors_read(&processors);
    free(malloc(48));
    for (uint64_t round = 0; round < rounds; round++) {
        pid_t child = vfork();
        if (child == 0) {
            in_vfork_child();
            _exit(0);
        }
        CHECK(child > 0);
        expect_success(child, "a vfork child");
    }
    printf("vfork_fork: %llu children\n", (unsigned long long)rounds);
    return 0;
}
