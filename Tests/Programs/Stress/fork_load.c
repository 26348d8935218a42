/// Several threads fork again and again while others allocate. Each child allocates, reallocates,
/// frees what it inherited, starts a thread, forks again, and must end in time: a lock that nobody
/// will ever release is a hang.
///
///   fork_load [FORKS-PER-THREAD [FORKING-THREADS [ALLOCATING-THREADS [SECONDS-PER-CHILD]]]]
#include "check.h"

enum { most_threads = 32, exchange_slots = 256 };

static _Atomic(void *) exchange[exchange_slots];
static atomic_bool finished;
static uint64_t forks = 150, forking = 4, allocating = 4, child_seconds = 20;

/// One random operation on a table of blocks; sizes reach the middle tier and the page level.
static void operate(void **table, int count, struct random *random) {
    void **slot = &table[random_below(random, (uint64_t)count)];
    size_t size = random_below(random, 40) == 0 ? random_below(random, 600000) : random_below(random, 2000);
    uint64_t draw = random_below(random, 8);
    if (draw == 0) {
        void *block = realloc(*slot, size + 1);
        CHECK(block != NULL);
        *slot = block;
    } else {
        free(*slot);
        *slot = draw == 1 ? calloc(1, size) : malloc(size);
        CHECK(*slot != NULL);
    }
    if (size >= 8) memcpy(*slot, &size, 8);
    if (random_below(random, 8) == 0) *slot = atomic_exchange(&exchange[random_below(random, exchange_slots)], *slot);
}

/// More blocks of one size than a cache holds, and their frees: most of the time is spent in the
/// layers below the caches, under their locks, so that many forks happen while some lock is held,
/// and many children want it.
static void burst(struct random *random) {
    enum { most = 512 };
    static __thread void *blocks[most];
    bool large = random_below(random, 4) == 0;
    size_t size = large ? (size_t)40000 << random_below(random, 5) : 16 + 16 * random_below(random, 60);
    int count = large ? 16 : most;
    for (int i = 0; i < count; i++) {
        CHECK((blocks[i] = malloc(size)) != NULL);
        *(int *)blocks[i] = i;
    }
    for (int i = 0; i < count; i++) {
        CHECK(*(int *)blocks[i] == i);
        free(blocks[i]);
    }
}

static void *allocate(void *argument) {
    struct random random = {(uint64_t)(uintptr_t)argument};
    void *table[64] = {0};
    while (!atomic_load_explicit(&finished, memory_order_relaxed)) {
        for (int i = 0; i < 100; i++) operate(table, 64, &random);
        for (int i = 0; i < 4; i++) burst(&random);
    }
    for (int i = 0; i < 64; i++) free(table[i]);
    return NULL;
}

static void *briefly(void *argument) {
    struct random random = {(uint64_t)(uintptr_t)argument};
    void *table[16] = {0};
    for (int i = 0; i < 200; i++) operate(table, 16, &random);
    for (int i = 0; i < 16; i++) free(table[i]);
    return NULL;
}

__attribute__((noreturn)) static void child_main(void **table, struct random *random, int depth) {
    watch("a fork child", (unsigned)child_seconds);
    random->state ^= (uint64_t)getpid();
    for (int i = 0; i < 400; i++) operate(table, 64, random);
    for (int i = 0; i < 8; i++) burst(random);
    if (random_below(random, 4) == 0) {
        pthread_t thread;
        CHECK_ZERO(pthread_create(&thread, NULL, briefly, (void *)(uintptr_t)getpid()));
        CHECK_ZERO(pthread_join(thread, NULL));
    }
    if (depth < 2 && random_below(random, 4) == 0) {
        pid_t child = fork();
        if (child == 0) child_main(table, random, depth + 1);
        expect_success(child, "a grandchild");
    }
    for (int i = 0; i < 64; i++) free(table[i]);
    for (int i = 0; i < exchange_slots; i++) free(atomic_exchange(&exchange[i], NULL));
    _exit(0);
}

static void *fork_often(void *argument) {
    struct random random = {(uint64_t)(uintptr_t)argument};
    void *table[64] = {0};
    for (uint64_t i = 0; i < forks; i++) {
        for (int j = 0; j < 100; j++) operate(table, 64, &random);
        pid_t child = fork();
        if (child == 0) child_main(table, &random, 0);
        CHECK(child > 0);
        expect_success(child, "a fork child");
    }
    for (int i = 0; i < 64; i++) free(table[i]);
    return NULL;
}

int main(int count, char **texts) {
    if (count > 1) forks = number_argument(texts[1]);
    if (count > 2) forking = number_argument(texts[2]);
    if (count > 3) allocating = number_argument(texts[3]);
    if (count > 4) child_seconds = number_argument(texts[4]);
    CHECK(forking >= 1 && forking + allocating <= most_threads);
    watch("forks under load", 100 + (unsigned)(forks / 5));
    pthread_t started[most_threads];
    for (uint64_t i = 0; i < forking + allocating; i++)
        CHECK_ZERO(pthread_create(
            &started[i], NULL, i < forking ? fork_often : allocate, (void *)(uintptr_t)(i + 1)));
    for (uint64_t i = 0; i < forking; i++) CHECK_ZERO(pthread_join(started[i], NULL));
    atomic_store(&finished, true);
    for (uint64_t i = forking; i < forking + allocating; i++) CHECK_ZERO(pthread_join(started[i], NULL));
    for (int i = 0; i < exchange_slots; i++) free(exchange[i]);
    printf("fork_load: %llu forks from %llu threads\n", (unsigned long long)(forks * forking),
        (unsigned long long)forking);
    return 0;
}
