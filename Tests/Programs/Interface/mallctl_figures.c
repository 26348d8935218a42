// Promises of mallctl(3) as Percolate keeps them: figures that are true.
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "jemalloc.h"
#include "resident.h"

enum { PAGE = 4096 };

static size_t class_total(const char *what) {
    size_t total = 0;
    for (unsigned i = 0; i < READ(unsigned, "arenas.nbins"); i++) {
        char name[64];
        snprintf(name, sizeof name, "arenas.bin.%u.size", i);
        size_t size = READ(size_t, name);
        snprintf(name, sizeof name, "stats.arenas.0.bins.%u.%s", i, what);
        total += READ(size_t, name) * size;
    }
    return total;
}

static void expect_consistent(void) {
    size_t small = READ(size_t, "stats.arenas.0.small.allocated"),
           large = READ(size_t, "stats.arenas.0.large.allocated");
    size_t active = READ(size_t, "stats.active"), allocated = READ(size_t, "stats.allocated");
    EXPECT(allocated == small + large, "small and large together to be %zu", allocated);
    EXPECT(class_total("curregs") == small, "the classes together to be %zu, they are %zu", small,
        class_total("curregs"));
    EXPECT(active % PAGE == 0 && active >= allocated, "whole pages, %zu", active);
    EXPECT(
        READ(size_t, "stats.arenas.0.pactive") * PAGE == active, "pactive to be the same in pages");
    EXPECT(READ(size_t, "stats.resident") >= active && READ(size_t, "stats.mapped") >= active,
        "resident and mapped to be more");
    EXPECT(READ(size_t, "stats.arenas.4096.small.allocated") == small,
        "all arenas together to be arena 0");
}

static int compare(const void *left, const void *right) {
    return memcmp(left, right, sizeof(unsigned));
}

// Exact when the process is quiet: to the byte.
static void figures_are_exact(void) {
    enum { count = 4000 };
    static void *blocks[count];
    void *sorted = malloc(count * sizeof(unsigned));
    qsort(sorted, count, sizeof(unsigned), compare);
    for (int round = 0; round < 5; round++) {
        refresh();
        expect_consistent();
        size_t before = READ(size_t, "stats.allocated");
        size_t large_before = READ(size_t, "stats.arenas.0.large.allocated");
        uint64_t large_count = READ(uint64_t, "stats.arenas.0.large.nmalloc"),
                 large_freed = READ(uint64_t, "stats.arenas.0.large.ndalloc");
        size_t small = 0, large = 0, large_blocks = 0;
        for (int i = 0; i < count; i++) {
            size_t size = i % 50 == 0 ? 40000 + (size_t)i * 10 : 1 + (size_t)i * 7919 % 32768;
            blocks[i] = i % 3 ? malloc(size) : mallocx(size, MALLOCX_ALIGN(64));
            size_t real = sallocx(blocks[i], 0);
            if (real > 32768) {
                large += real;
                large_blocks++;
            } else {
                small += real;
            }
        }
        EXPECT(READ(size_t, "stats.allocated") == before, "figures to change with epoch alone");
        refresh();
        expect_consistent();
        EXPECT(READ(size_t, "stats.allocated") == before + small + large, "%zu, it is %zu",
            before + small + large, READ(size_t, "stats.allocated"));
        EXPECT(
            READ(size_t, "stats.arenas.0.large.allocated") == large_before + large, "large blocks");
        EXPECT(READ(uint64_t, "stats.arenas.0.large.nmalloc") == large_count + large_blocks,
            "as many large blocks");
        // What left the lower tiers is with the program or in the caches.
        uint64_t out = READ(uint64_t, "stats.arenas.0.small.nmalloc") -
                       READ(uint64_t, "stats.arenas.0.small.ndalloc");
        EXPECT(out >= count - large_blocks, "%d blocks to be out at least, it is %lu", count,
            (unsigned long)out);
        for (int i = 0; i < count; i++) free(blocks[i]);
        refresh();
        expect_consistent();
        EXPECT(READ(size_t, "stats.allocated") == before, "%zu again, it is %zu", before,
            READ(size_t, "stats.allocated"));
        EXPECT(READ(uint64_t, "stats.arenas.0.large.ndalloc") == large_freed + large_blocks,
            "as many freed");
    }
    free(sorted);
}

// Differences of the number of requests are exact, from the first question on.
static void requests_are_counted(void) {
    size_t mib[8], depth = 8;
    REQUIRE(mallctlnametomib("stats.arenas.4096.small.nrequests", mib, &depth) == 0 && depth == 5,
        "numbers");
    uint64_t before, after, length = sizeof before;
    REQUIRE(mallctlbymib(mib, depth, &before, &length, NULL, 0) == 0, "to be read");
    uint64_t large = READ(uint64_t, "stats.arenas.4096.large.nrequests");
    for (int i = 0; i < 12345; i++) free(malloc((size_t)i % 500));
    for (int i = 0; i < 23; i++) free(malloc(100000));
    refresh();
    REQUIRE(mallctlbymib(mib, depth, &after, &length, NULL, 0) == 0, "to be read");
    EXPECT(after - before == 12345, "12345 requests, it says %lu", (unsigned long)(after - before));
    EXPECT(READ(uint64_t, "stats.arenas.4096.large.nrequests") - large == 23, "23 large requests");
    pid_t child = fork();
    if (child == 0) {
        uint64_t in_child = READ(uint64_t, "stats.arenas.0.small.nrequests");
        for (int i = 0; i < 1000; i++) free(malloc(100));
        _exit(READ(uint64_t, "stats.arenas.0.small.nrequests") - in_child == 1000 ? 0 : 1);
    }
    int status;
    waitpid(child, &status, 0);
    EXPECT(status == 0, "a child to count its own");
}

static atomic_int hammering;

static void *hammer(void *unused) {
    (void)unused;
    while (!atomic_load(&hammering)) usleep(100);
    while (atomic_load(&hammering) == 1) {
        refresh();
        (void)READ(size_t, "stats.allocated");
    }
    return NULL;
}

// A child finds the keys free whoever was inside.
static void children_of_a_busy_process_are_answered(void) {
    pthread_t thread[2];
    for (int i = 0; i < 2; i++) pthread_create(&thread[i], NULL, hammer, NULL);
    atomic_store(&hammering, 1);
    for (int i = 0; i < 100; i++) {
        pid_t child = fork();
        if (child == 0) {
            alarm(20);
            size_t before = READ(size_t, "stats.allocated");
            refresh();
            void *block = malloc(1000);
            refresh();
            (void)before;
            EXPECT(READ(size_t, "stats.active") >= READ(size_t, "stats.allocated"), "figures");
            free(block);
            _exit(failures);
        }
        int status;
        waitpid(child, &status, 0);
        REQUIRE(status == 0, "child %d to be answered, its status is %#x", i, status);
    }
    atomic_store(&hammering, 2);
    for (int i = 0; i < 2; i++) pthread_join(thread[i], NULL);
}

int main(int argc, char **argv) {
    static const struct test_case cases[] = {
        CASE(figures_are_exact),
        CASE(requests_are_counted),
        CASE(children_of_a_busy_process_are_answered),
    };
    return RUN_CASES(cases);
}
