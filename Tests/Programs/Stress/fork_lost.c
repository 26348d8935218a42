/// Children that no fork handler knows of, by raw clone(2) or _Fork(3), of a process whose threads
/// are inside the allocator most of the time. What those threads were changing is half done in the
/// child, and their locks are nobody's. The child is served all the same: it frees what it
/// inherited, gives a large block back to the kernel, and forks.
///
///   fork_lost raw|_Fork [CHILDREN [THREADS]]
#include "resident.h"

enum { most_threads = 8, inherited_blocks = 200, large_size = 16 << 20 };

static atomic_bool finished;
static unsigned char *large;

pid_t _Fork(void) __attribute__((weak));

static void *allocate(void *argument) {
    struct random random = {(uintptr_t)argument};
    void *table[100] = {0};
    while (!atomic_load_explicit(&finished, memory_order_relaxed)) {
        void **slot = &table[random_below(&random, 100)];
        free(*slot);
        *slot = malloc(random_below(&random, random_below(&random, 8) == 0 ? 300000 : 700));
        CHECK(*slot != NULL);
    }
    for (int i = 0; i < 100; i++) free(table[i]);
    return NULL;
}

/// Blocks of all sizes, each filled with a byte of its own.
static void allocate_and_check(void) {
    enum { count = 400 };
    static unsigned char *blocks[count];
    static size_t sizes[count];
    for (size_t i = 0; i < count; i++) {
        sizes[i] = 1 + (i % 40 == 0 ? i * 3000 : i * 31);
        CHECK((blocks[i] = malloc(sizes[i])) != NULL);
        memset(blocks[i], (int)i, sizes[i]);
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < sizes[i]; j++) CHECK(blocks[i][j] == (unsigned char)i);
        free(blocks[i]);
    }
}

__attribute__((noreturn)) static void live_on(void **inherited) {
    watch("a child that no fork handler knows of", 30);
    for (int i = 0; i < inherited_blocks; i++) free(inherited[i]);
    allocate_and_check();
    long before = resident_pages();
    free(large);
    // Light work brings it back to the kernel: nobody else does, since the child has one thread.
    for (int i = 0; resident_pages() > before - large_size / sysconf(_SC_PAGESIZE) / 2; i++) {
        if (i == 100) fail("the child keeps the memory of a freed block");
        pause_microseconds(20000);
        void *volatile block = malloc(40000);
        free(block);
    }
    pid_t child = fork();
    if (child == 0) {
        allocate_and_check();
        _exit(0);
    }
    CHECK(child > 0);
    expect_success(child, "a child's child");
    _exit(0);
}

int main(int count, char **texts) {
    bool is_raw = count < 2 || strcmp(texts[1], "raw") == 0;
    uint64_t children = count > 2 ? number_argument(texts[2]) : 30, threads = count > 3 ? number_argument(texts[3]) : 4;
    CHECK(threads <= most_threads);
    watch("children that no fork handler knows of", 100);
    pthread_t started[most_threads];
    for (uint64_t i = 0; i < threads; i++)
        CHECK_ZERO(pthread_create(&started[i], NULL, allocate, (void *)(uintptr_t)(i + 1)));
    void *inherited[inherited_blocks];
    for (size_t i = 0; i < inherited_blocks; i++) CHECK((inherited[i] = malloc(i * 50)) != NULL);
    CHECK((large = malloc(large_size)) != NULL);
    memset(large, 1, large_size);
    for (uint64_t i = 0; i < children; i++) {
        pause_microseconds(500);
        pid_t child = is_raw || !_Fork ? (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) : _Fork();
        CHECK(child >= 0);
        if (child == 0) live_on(inherited);
        expect_success(child, "a child that no fork handler knows of");
    }
    atomic_store(&finished, true);
    for (uint64_t i = 0; i < threads; i++) CHECK_ZERO(pthread_join(started[i], NULL));
    printf("fork_lost: %llu children\n", (unsigned long long)children);
    return 0;
}
