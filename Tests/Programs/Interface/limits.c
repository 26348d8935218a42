// limits CASE: sets a resource limit, starts itself anew under it, so that the allocator starts
// under it too, and uses memory there. Says "skipped" and why, with exit code 77, where the machine
// does not let it.
#include "resident.h"
#include <linux/capability.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static size_t limit;

// Blocks are chained through their first bytes: no other memory is needed to remember them.
struct chain {
    struct chain *next;
};

// Adds blocks of `size` bytes to `chain` until there is no more or `most` bytes were asked for.
// Returns the sum.
static size_t take(struct chain **chain, size_t size, size_t most) {
    size_t sum = 0;
    while (sum < most) {
        errno = 0;
        struct chain *block = (struct chain *)malloc(size);
        if (block == NULL) {
            EXPECT(errno == ENOMEM, "malloc(%zu) to set ENOMEM, errno is %d", size, errno);
            break;
        }
        block->next = *chain;
        *chain = block;
        sum += size;
    }
    return sum;
}

static void give_back(struct chain **chain) {
    while (*chain != NULL) {
        struct chain *next = (*chain)->next;
        free(*chain);
        *chain = next;
    }
}

static int is_hardened(void) {
    const char *options = getenv("PERCOLATE_OPTIONS");
    return options != NULL && strstr(options, "hardened=1") != NULL;
}

// The program starts, and a fair share of what is allowed can be used, in small pieces and then in
// large ones. In a hardened process each block has a record beside it, which the limit counts as
// well.
static void works(void) {
    size_t share = limit < (size_t)64 << 20 ? limit / 8 : limit < (size_t)128 << 20 ? limit / 4 : limit / 2;
    if (is_hardened()) share = share / 4 * 3;
    if (share > (size_t)256 << 20) share = (size_t)256 << 20;
    struct chain *chain = NULL;
    static const size_t sizes[] = {1000, 200000, 5000, (size_t)2 << 20, 100};
    for (int s = 0; s < 5; s++) {
        size_t sum = take(&chain, sizes[s], share);
        EXPECT(sum >= share, "%zu bytes in blocks of %zu under a limit of %zu, got %zu", share, sizes[s], limit, sum);
        give_back(&chain);
    }
}

// What no one has must not be found by any function, and leaves what is there as it is.
static void all_functions_fail(size_t size) {
    void *block = NULL;
    errno = 0;
    EXPECT(calloc(1, size) == NULL && errno == ENOMEM, "calloc(1, %zu) to fail with ENOMEM, errno %d", size, errno);
    errno = 0;
    EXPECT(realloc(NULL, size) == NULL && errno == ENOMEM, "realloc(NULL, %zu) to fail, errno %d", size, errno);
    errno = 0;
    EXPECT(aligned_alloc(64, size) == NULL && errno == ENOMEM, "aligned_alloc(64, %zu) to fail, errno %d", size, errno);
    EXPECT(posix_memalign(&block, 4096, size) == ENOMEM, "posix_memalign(4096, %zu) to fail", size);
    EXPECT(block == NULL, "posix_memalign to leave the pointer");
}

// Memory is used up by blocks of one size, given back, used up by blocks of another: NULL and
// ENOMEM each time, and a good part of the limit each time.
static void is_exhausted_and_recovers(void) {
    struct chain *chain = NULL;
    static const size_t sizes[] = {(size_t)3 << 20, 1000, 100000, 16, 10000, 100, (size_t)3 << 20};
    for (int s = 0; s < 7; s++) {
        size_t sum = take(&chain, sizes[s], SIZE_MAX);
        EXPECT(sum >= limit / 4 && sum <= limit, "a quarter of %zu in blocks of %zu, got %zu", limit, sizes[s], sum);
        all_functions_fail(sizes[s] > limit / 8 ? sizes[s] : limit / 8 * 7);
        // Room for one means room for one again; with guard pages, whose number is random, room for
        // three.
        for (int freed = 0; freed < (is_hardened() ? 3 : 1); freed++) {
            struct chain *last = chain;
            chain = last->next;
            free(last);
        }
        void *block = malloc(sizes[s]);
        EXPECT(block != NULL, "a block of %zu where one was freed", sizes[s]);
        free(block);
        give_back(&chain);
    }
    works();
}

static void failing_realloc_keeps_the_block(void) {
    unsigned char *block = (unsigned char *)malloc(1000);
    REQUIRE(block != NULL, "malloc(1000) to work");
    fill(block, 1000, 4);
    for (size_t size = 2000;; size *= 2) {
        errno = 0;
        unsigned char *grown = (unsigned char *)realloc(block, size);
        if (grown == NULL) {
            EXPECT(errno == ENOMEM, "realloc to %zu to set ENOMEM, errno is %d", size, errno);
            EXPECT(size > limit / 8, "realloc to %zu to fit under %zu", size, limit);
            EXPECT(first_difference(block, 1000, 4) == 1000, "the block to stay");
            EXPECT(malloc_usable_size(block) >= size / 2, "the block to keep its %zu bytes", size / 2);
            memset(block, 5, size / 2);
            break;
        }
        block = grown;
        REQUIRE(size < limit, "no more than the limit of %zu", limit);
        EXPECT(first_difference(block, 1000, 4) == 1000, "contents to move along");
    }
    free(block);
    works();
}

static void *exhaust_in_thread(void *unused) {
    struct chain *chain = NULL;
    for (int round = 0; round < 6; round++) {
        take(&chain, round % 2 == 0 ? 2000 : 150000, SIZE_MAX);
        give_back(&chain);
    }
    return unused;
}

static void threads_exhaust_together(void) {
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) REQUIRE(pthread_create(&threads[i], NULL, exhaust_in_thread, NULL) == 0, "a thread");
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    struct chain *chain = NULL;
    size_t sum = take(&chain, 5000, limit / 16);
    EXPECT(sum >= limit / 16, "a sixteenth of %zu afterwards, got %zu", limit, sum);
    give_back(&chain);
}

// Locking all memory must not make a reserved range of addresses resident.
static void works_locked(void) {
    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
        say("skipped: mlockall: %s", strerror(errno));
        _exit(77);
    }
    long before = resident_mib();
    EXPECT(before < 64, "less than 64 MiB to be resident when all is locked, %ld are", before);
    struct chain *chain = NULL;
    static const size_t sizes[] = {100, 3000, 70000, (size_t)2 << 20};
    for (int s = 0; s < 4; s++) {
        size_t sum = take(&chain, sizes[s], (size_t)32 << 20);
        EXPECT(sum >= (size_t)32 << 20, "32 MiB in blocks of %zu, got %zu", sizes[s], sum);
        give_back(&chain);
    }
    EXPECT(resident_mib() < before + 160, "no more than was used to be resident, %ld MiB are", resident_mib());
}

// A process that may lock 8 MiB only and locks all future memory: mmap fails with EAGAIN, malloc
// with ENOMEM.
static void lock_future_memory(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    REQUIRE(syscall(SYS_capget, &header, data) == 0, "capget to work");
    data[CAP_TO_INDEX(CAP_IPC_LOCK)].effective &= ~CAP_TO_MASK(CAP_IPC_LOCK);
    REQUIRE(syscall(SYS_capset, &header, data) == 0, "capset to work");
    REQUIRE(mlockall(MCL_FUTURE) == 0, "mlockall(MCL_FUTURE) to work");
}

static void a_quarter_fits_twice(void) {
    struct chain *chain = NULL;
    size_t sum = take(&chain, 100000, (size_t)200 << 20);
    EXPECT(sum >= limit / 4, "a quarter of the limit of %zu at least, got %zu", limit, sum);
    give_back(&chain);
    sum = take(&chain, 1000, limit / 4);
    EXPECT(sum >= limit / 4, "a quarter of the limit of %zu again, got %zu", limit, sum);
    give_back(&chain);
}

static void locked_memory_is_exhausted(void) {
    free(malloc(opaque(100)));
    lock_future_memory();
    a_quarter_fits_twice();
}

// The allocator has not been used before: whatever it reserves at its start counts as locked.
static void first_allocation_is_locked(void) {
    lock_future_memory();
    a_quarter_fits_twice();
}

// Run by strict_overcommit: what is committed is charged, so a reserved range must not be.
static void works_under_strict_overcommit(void) {
    FILE *file = fopen("/proc/sys/vm/overcommit_memory", "r");
    int mode = 0;
    REQUIRE(file != NULL && fscanf(file, "%d", &mode) == 1, "the overcommit mode to be readable");
    fclose(file);
    REQUIRE(mode == 2, "to be run where vm.overcommit_memory is 2, it is %d", mode);
    struct chain *chain = NULL;
    static const size_t sizes[] = {100, 3000, 70000, (size_t)2 << 20};
    for (int s = 0; s < 4; s++) {
        size_t sum = take(&chain, sizes[s], (size_t)64 << 20);
        EXPECT(sum >= (size_t)64 << 20, "64 MiB in blocks of %zu, got %zu", sizes[s], sum);
        give_back(&chain);
    }
    errno = 0;
    EXPECT(malloc(opaque((size_t)1 << 42)) == NULL && errno == ENOMEM, "4 TiB to be refused, errno is %d", errno);
}

static const struct limited_case {
    const char *name;
    int resource;
    size_t mib;
    void (*run)(void);
} cases[] = {
    {"address_space_2048", RLIMIT_AS, 2048, works},
    {"address_space_1024", RLIMIT_AS, 1024, works},
    {"address_space_512", RLIMIT_AS, 512, works},
    {"address_space_256", RLIMIT_AS, 256, works},
    {"address_space_128", RLIMIT_AS, 128, works},
    {"address_space_64", RLIMIT_AS, 64, works},
    {"address_space_32", RLIMIT_AS, 32, works},
    {"address_space_exhausted", RLIMIT_AS, 256, is_exhausted_and_recovers},
    {"address_space_realloc", RLIMIT_AS, 256, failing_realloc_keeps_the_block},
    {"address_space_threads", RLIMIT_AS, 512, threads_exhaust_together},
    {"data_1024", RLIMIT_DATA, 1024, works},
    {"data_64", RLIMIT_DATA, 64, works},
    {"data_32", RLIMIT_DATA, 32, works},
    {"data_exhausted", RLIMIT_DATA, 256, is_exhausted_and_recovers},
    {"data_realloc", RLIMIT_DATA, 256, failing_realloc_keeps_the_block},
    {"data_threads", RLIMIT_DATA, 256, threads_exhaust_together},
    {"locked", RLIMIT_MEMLOCK, 8, works_locked},
    {"locked_exhausted", RLIMIT_MEMLOCK, 8, locked_memory_is_exhausted},
    {"locked_before_start", RLIMIT_MEMLOCK, 8, first_allocation_is_locked},
    {"strict_overcommit", RLIMIT_CORE, 0, works_under_strict_overcommit},
};

int main(int argc, char **argv) {
    for (size_t i = 0; argc > 1 && i < sizeof cases / sizeof cases[0]; i++) {
        if (strcmp(argv[1], cases[i].name) != 0) continue;
        limit = cases[i].mib << 20;
        if (argc > 2) {
            cases[i].run();
            if (failures == 0) say("holds: %s", cases[i].name);
            return failures == 0 ? 0 : 1;
        }
        struct rlimit to_set = {limit, limit};
        REQUIRE(setrlimit(cases[i].resource, &to_set) == 0, "the limit to be set: %s", strerror(errno));
        execl("/proc/self/exe", argv[0], argv[1], "limited", (char *)NULL);
        REQUIRE(0, "to start anew: %s", strerror(errno));
    }
    say("no case is named %s; there are:", argc > 1 ? argv[1] : "(nothing)");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) say("    %s", cases[i].name);
    return 2;
}
