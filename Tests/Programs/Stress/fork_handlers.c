/// Forks of a program whose fork handlers (those of `fork_handlers_library.c`) allocate and free in
/// all three phases, alone and while other threads allocate.
///
///   fork_handlers [FORKS [ALLOCATING-THREADS]]
#include "check.h"

enum { most_threads = 16 };

void register_more(void);
uint64_t handler_calls(int phase);

static atomic_bool finished;

static void *allocate(void *argument) {
    struct random random = {(uint64_t)(uintptr_t)argument};
    void *table[128] = {0};
    while (!atomic_load(&finished)) {
        void **slot = &table[random_below(&random, 128)];
        free(*slot);
        *slot = malloc(random_below(&random, random_below(&random, 30) == 0 ? 300000 : 3000));
        CHECK(*slot != NULL);
    }
    for (int i = 0; i < 128; i++) free(table[i]);
    return NULL;
}

static void fork_once(const char *what) {
    uint64_t calls = handler_calls(2);
    pid_t child = fork();
    if (child == 0) {
        watch(what, 20);
        CHECK(handler_calls(2) > calls);
        for (int i = 0; i < 500; i++) free(malloc((size_t)i * 37));
        _exit(0);
    }
    CHECK(child > 0);
    expect_success(child, what);
}

int main(int count, char **texts) {
    uint64_t forks = count > 1 ? number_argument(texts[1]) : 300;
    uint64_t threads = count > 2 ? number_argument(texts[2]) : 4;
    CHECK(threads <= most_threads);
    watch("forks with handlers that allocate", 110);
    for (int i = 0; i < 20; i++) fork_once("a child of a process with one thread");
    register_more();
    for (int i = 0; i < 20; i++) fork_once("a child of a process with one thread and two sets of handlers");
    pthread_t started[most_threads];
    for (uint64_t i = 0; i < threads; i++)
        CHECK_ZERO(pthread_create(&started[i], NULL, allocate, (void *)(uintptr_t)(i + 1)));
    for (uint64_t i = 0; i < forks; i++) fork_once("a child of a process with several threads");
    atomic_store(&finished, true);
    for (uint64_t i = 0; i < threads; i++) CHECK_ZERO(pthread_join(started[i], NULL));
    CHECK(handler_calls(0) == handler_calls(1) && handler_calls(0) == 20 + 2 * (20 + forks));
    printf("fork_handlers: %llu forks\n", (unsigned long long)(40 + forks));
    return 0;
}
