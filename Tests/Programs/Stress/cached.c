/// Caches of many CPUs: what they hold, and that they give it up before an allocation fails.
///
///     cached limit MEBIBYTES option|addresses|data CPUS
///     cached fill MEBIBYTES CPUS SECONDS
///
/// With a number of CPUs, each thread says that it runs on one of its own, which a heap without
/// restartable sequences believes; with 0, it runs on one of those that are there.
#include "check.h"

#include <sys/resource.h>

/// Most mebibytes that one block may have now.
static size_t largest_block(size_t mebibytes) {
    for (size_t size = mebibytes; size > 0; size--) {
        char *block = malloc(size << 20);
        if (block == NULL) continue;
        memset(block, 1, size << 20);
        free(block);
        return size;
    }
    return 0;
}

/// The CPU that the calling thread says it runs on, and 1; 0 for the one it does run on.
static __thread int simulated_cpu;

int sched_getcpu(void) {
    if (simulated_cpu > 0) return simulated_cpu - 1;
    unsigned cpu = 0;
    return syscall(SYS_getcpu, &cpu, NULL, NULL) == 0 ? (int)cpu : -1;
}

static void run_on_cpu(size_t number) {
    cpu_set_t cpus, own;
    CHECK(sched_getaffinity(0, sizeof cpus, &cpus) == 0);
    int cpu = 0;
    for (size_t left = number; !CPU_ISSET(cpu, &cpus) || left-- > 0;) cpu++;
    CPU_ZERO(&own);
    CPU_SET(cpu, &own);
    CHECK(sched_setaffinity(0, sizeof own, &own) == 0);
}

enum { most_threads = 64 };
static bool simulates;
static pthread_t threads[most_threads];
static size_t thread_count, cached_share;
static pthread_barrier_t caches_are_full, end;

/// Leaves blocks of all sizes in the caches of one CPU.
static void *fill_cache(void *number) {
    if (simulates) simulated_cpu = (int)(size_t)number + 1;
    else run_on_cpu((size_t)number);
    static const size_t sizes[] = {16, 48, 160, 512, 1500, 4096, 9000, 16000, 32768};
    enum { kinds = sizeof sizes / sizeof *sizes };
    for (int round = 0; round < 4; round++) {
        char **last = NULL;
        for (size_t sum = 0, kind = 0; sum < cached_share; kind = (kind + 1) % kinds) {
            char **block = malloc(sizes[kind]);
            if (block == NULL) fail("no memory for a block of %zu", sizes[kind]);
            *block = (char *)last;
            last = block;
            sum += sizes[kind];
        }
        while (last != NULL) {
            char **next = (char **)*last;
            free(last);
            last = next;
        }
    }
    pthread_barrier_wait(&caches_are_full);
    pthread_barrier_wait(&end);
    return NULL;
}

/// Lets threads on so many CPUs work with so many mebibytes together, and wait.
static void fill_caches(size_t mebibytes, size_t cpu_count) {
    cpu_set_t cpus;
    CHECK(sched_getaffinity(0, sizeof cpus, &cpus) == 0);
    simulates = cpu_count > 0;
    thread_count = simulates ? cpu_count : (size_t)CPU_COUNT(&cpus);
    if (thread_count > most_threads) thread_count = most_threads;
    cached_share = (mebibytes << 20) / thread_count;
    pthread_barrier_init(&caches_are_full, NULL, (unsigned)thread_count + 1);
    pthread_barrier_init(&end, NULL, (unsigned)thread_count + 1);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 128 << 10);
    for (size_t i = 0; i < thread_count; i++)
        CHECK(pthread_create(&threads[i], &attributes, fill_cache, (void *)i) == 0);
    pthread_barrier_wait(&caches_are_full);
}

/// Leaves blocks in the caches of all CPUs, for the statistics at exit, after so many seconds of
/// light work on one more.
static void fill(size_t mebibytes, size_t cpu_count, size_t seconds) {
    fill_caches(mebibytes, cpu_count);
    for (size_t turn = 0; turn < seconds * 100; turn++) {
        free(malloc(100));
        usleep(10000);
    }
}

/// Near a limit, what only caches keep from being free is given up before an allocation fails: a
/// block of nearly all the room there is, and then small ones of one size.
static void limit(size_t mebibytes, const char *kind, size_t cpu_count) {
    struct rlimit most = {mebibytes << 20, mebibytes << 20};
    if (strcmp(kind, "addresses") == 0) CHECK(setrlimit(RLIMIT_AS, &most) == 0);
    if (strcmp(kind, "data") == 0) CHECK(setrlimit(RLIMIT_DATA, &most) == 0);
    fill_caches(mebibytes / 3, cpu_count);
    size_t first = largest_block(mebibytes);
    size_t again = largest_block(mebibytes);
    if (first + 1 < again || first < mebibytes * 3 / 4)
        fail("a block of %zu MiB was served at first, and of %zu MiB later", first, again);
    char **last = NULL;
    size_t sum = 0, wanted = (again - again / 16) << 20;
    for (char **block; sum < wanted && (block = malloc(1000)) != NULL; sum += 1024) {
        *block = (char *)last;
        last = block;
    }
    if (sum < wanted) fail("small blocks of %zu bytes where one of %zu MiB was served", sum, again);
    for (char **next; last != NULL; last = next) {
        next = (char **)*last;
        free(last);
    }
    pthread_barrier_wait(&end);
    for (size_t i = 0; i < thread_count; i++) pthread_join(threads[i], NULL);
}

int main(int argc, char **argv) {
    CHECK(argc == 5);
    if (strcmp(argv[1], "limit") == 0)
        limit(strtoul(argv[2], NULL, 10), argv[3], strtoul(argv[4], NULL, 10));
    else if (strcmp(argv[1], "fill") == 0)
        fill(strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10), strtoul(argv[4], NULL, 10));
    else fail("no such kind: %s", argv[1]);
    // By write(2): the threads of `fill` still have their blocks in caches.
    static const char passed[] = "cached: passed\n";
    CHECK(write(STDOUT_FILENO, passed, sizeof passed - 1) > 0);
    return 0;
}
