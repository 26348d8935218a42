// Promises of mallctl(3) as Percolate keeps them: names, numbers, lengths, rights, and figures that
// are true.
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/wait.h>

#include "jemalloc.h"
#include "resident.h"

enum { PAGE = 4096, MiB = 1 << 20 };

static void names_and_numbers_agree(void) {
    static const char *const names[] = {
        "version",
        "epoch",
        "stats.allocated",
        "arenas.bin.3.size",
        "arena.0.initialized",
        "opt.narenas",
        "thread.arena",
        "arenas.nbins",
        "stats.arenas.0.pactive",
        "stats.arenas.4096.small.nmalloc",
        "config.stats",
        "arenas.narenas",
        "stats.arenas.0.bins.7.curregs",
        "arena.4096.dss",
        "background_thread",
        "arenas.nhbins",
        "opt.dss",
        "stats.arenas.0.large.nrequests",
        "max_background_threads",
    };
    refresh();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t mib[8], depth = 8, by_name = 0, by_number = 0, length = 8, length2 = 8;
        REQUIRE(mallctlnametomib(names[i], mib, &depth) == 0, "%s to have numbers", names[i]);
        size_t periods = 0;
        for (const char *c = names[i]; *c; c++) periods += *c == '.';
        EXPECT(depth == periods + 1, "%s to have %zu components, it has %zu", names[i], periods + 1,
            depth);
        int error = mallctl(names[i], &by_name, &length, NULL, 0);
        int error2 = mallctlbymib(mib, depth, &by_number, &length2, NULL, 0);
        EXPECT(error == error2 && length == length2 && by_name == by_number,
            "%s to be the same by its numbers", names[i]);
        // With fewer numbers, or one more, there is no key.
        EXPECT(mallctlbymib(mib, depth - 1, &by_number, &length2, NULL, 0) == ENOENT,
            "a part of %s to be no key", names[i]);
        mib[depth] = 0;
        EXPECT(mallctlbymib(mib, depth + 1, &by_number, &length2, NULL, 0) == ENOENT,
            "more than %s to be no key", names[i]);
        for (size_t part = 1; part <= depth; part++) {
            size_t partial[8], taken = part;
            EXPECT(mallctlnametomib(names[i], partial, &taken) == 0 && taken == part,
                "%zu numbers of %s", part, names[i]);
            EXPECT(memcmp(partial, mib, part * sizeof *mib) == 0, "the same numbers");
        }
    }
}

// The manual's loop: numbers of a name may be exchanged.
static void numbers_in_a_name_may_be_exchanged(void) {
    size_t mib[4], depth = 4, before = 0;
    REQUIRE(mallctlnametomib("arenas.bin.0.size", mib, &depth) == 0 && depth == 4, "numbers");
    unsigned classes = READ(unsigned, "arenas.nbins");
    for (unsigned i = 0; i < classes; i++) {
        size_t size, length = sizeof size;
        mib[2] = i;
        REQUIRE(
            mallctlbymib(mib, depth, &size, &length, NULL, 0) == 0, "class %u to have a size", i);
        EXPECT(
            size > before && nallocx(size, 0) == size && (i == 0 || nallocx(before + 1, 0) == size),
            "class %u to be %zu", i, size);
        before = size;
        char name[64];
        snprintf(name, sizeof name, "arenas.bin.%u.nregs", i);
        uint32_t blocks = READ(uint32_t, name);
        snprintf(name, sizeof name, "arenas.bin.%u.slab_size", i);
        EXPECT(READ(size_t, name) >= blocks * size && blocks > 0, "%u blocks to fit", blocks);
    }
    mib[2] = classes;
    size_t size, length = sizeof size;
    EXPECT(mallctlbymib(mib, depth, &size, &length, NULL, 0) == ENOENT, "class %u not to exist",
        classes);
}

static void what_is_not_true_does_not_exist(void) {
    static const char *const names[] = {
        "",
        ".",
        "stats",
        "stats.",
        ".stats",
        "stats..allocated",
        "stats.allocated.",
        "stats.allocated.x",
        "Stats.allocated",
        "nothing",
        "arena.purge",
        "arena..purge",
        "arena.x.purge",
        "arena.-1.purge",
        "arena.99999.purge",
        "arena.18446744073709551616.purge",
        "arenas.bin.73.size",
        "arenas.bin.5000.size",
        "stats.arenas.3.pactive",
        "stats.arenas.0.bins.100.curregs",
        "arena.0",
        "arenas.bin.0",
        "arena.*.purge",
        "stats.arenas.*.pactive",
        // What jemalloc has and nobody counts here.
        "thread.allocated",
        "thread.allocatedp",
        "thread.deallocated",
        "thread.deallocatedp",
        "thread.peak.read",
        "prof.gdump",
        "thread.prof.name",
        "stats.mutexes.ctl.num_ops",
        "stats.arenas.0.bins.0.nmalloc",
        "arenas.lextent.0.size",
        "arena.0.extent_hooks",
        "stats.arenas.0.nthreads",
        "stats.zero_reallocs",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        uint64_t value = 17;
        size_t length = sizeof value, mib[8], depth = 8;
        EXPECT(mallctl(names[i], &value, &length, NULL, 0) == ENOENT, "%s not to exist", names[i]);
        EXPECT(mallctl(names[i], NULL, NULL, &value, sizeof value) == ENOENT,
            "%s not to be written", names[i]);
        EXPECT(value == 17 && length == sizeof value, "nothing to be read");
        int is_prefix = strcmp(names[i], "stats") == 0 || strcmp(names[i], "arena.0") == 0 ||
                        strcmp(names[i], "arenas.bin.0") == 0;
        EXPECT(mallctlnametomib(names[i], mib, &depth) == (is_prefix ? 0 : ENOENT), "numbers of %s",
            names[i]);
    }
    size_t mib[8] = {1000, 2000}, value, length = sizeof value;
    EXPECT(mallctlbymib(mib, 0, &value, &length, NULL, 0) == ENOENT, "no numbers to be no key");
    EXPECT(mallctlbymib(mib, 1, &value, &length, NULL, 0) == ENOENT, "wrong numbers to be no key");
    EXPECT(mallctlbymib(mib, 2, &value, &length, NULL, 0) == ENOENT, "wrong numbers to be no key");
    EXPECT(mallctlbymib(mib, SIZE_MAX, &value, &length, NULL, 0) == ENOENT,
        "too many numbers to be no key");
}

// As much as fits is read, and the length says how much; nothing is written.
static void wrong_lengths(void) {
    unsigned char bytes[16];
    size_t page = PAGE;
    for (size_t length = 0; length <= sizeof bytes; length++) {
        memset(bytes, 0xcc, sizeof bytes);
        size_t given = length, right = sizeof page;
        int error = mallctl("arenas.page", bytes, &given, NULL, 0);
        size_t copied = length < right ? length : right;
        EXPECT(error == (length == right ? 0 : EINVAL),
            "%zu bytes of a size_t to be answered by EINVAL", length);
        EXPECT(given == copied && memcmp(bytes, &page, copied) == 0 &&
                   (copied == 16 || bytes[copied] == 0xcc),
            "%zu bytes", copied);
        if (length == sizeof(uint64_t)) continue;
        uint64_t before = READ(uint64_t, "epoch");
        EXPECT(mallctl("epoch", NULL, NULL, bytes, length) == (length == 0 ? EINVAL : EINVAL),
            "a write of %zu bytes to be refused", length);
        EXPECT(READ(uint64_t, "epoch") == before, "nothing to be written");
    }
    bool enabled = false, old;
    size_t short_length = 0;
    EXPECT(
        mallctl("thread.tcache.enabled", &old, &short_length, &enabled, sizeof enabled) == EINVAL,
        "EINVAL");
    EXPECT(READ(bool, "thread.tcache.enabled") == true, "nothing to be written");
    unsigned arenas = READ(unsigned, "arenas.narenas");
    EXPECT(mallctl("arenas.create", NULL, NULL, NULL, 0) == EINVAL,
        "an arena that nobody learns of not to be made");
    EXPECT(READ(unsigned, "arenas.narenas") == arenas, "no arena to be made");
}

static void what_may_not_be_done(void) {
    uint64_t number = 1;
    size_t length = sizeof number;
    static const char *const read_only[] = {"version", "stats.allocated", "arenas.page", "opt.dss",
        "config.stats", "arenas.bin.0.size", "tcache.create", "arena.0.initialized",
        "stats.arenas.0.pactive"};
    for (size_t i = 0; i < sizeof read_only / sizeof *read_only; i++) {
        EXPECT(mallctl(read_only[i], NULL, NULL, &number, sizeof number) == EPERM,
            "%s not to be written", read_only[i]);
        EXPECT(mallctl(read_only[i], NULL, NULL, NULL, 4) == EPERM, "%s not to be written",
            read_only[i]);
    }
    static const char *const write_only[] = {"tcache.flush", "tcache.destroy"};
    for (size_t i = 0; i < 2; i++)
        EXPECT(mallctl(write_only[i], &number, &length, NULL, 0) == EPERM, "%s not to be read",
            write_only[i]);
    static const char *const actions[] = {
        "thread.tcache.flush", "arena.0.purge", "arena.0.decay", "arena.0.reset", "thread.idle"};
    for (size_t i = 0; i < 5; i++) {
        EXPECT(mallctl(actions[i], &number, &length, NULL, 0) == EPERM, "%s not to be read",
            actions[i]);
        EXPECT(mallctl(actions[i], NULL, NULL, &number, sizeof number) == EPERM,
            "%s not to be written", actions[i]);
        EXPECT(mallctl(actions[i], NULL, &length, NULL, 0) == EPERM, "%s to have no length",
            actions[i]);
    }
    unsigned unknown = 4000;
    EXPECT(WRITE(unsigned, "tcache.flush", unknown) == EFAULT &&
               WRITE(unsigned, "tcache.destroy", unknown) == EFAULT,
        "EFAULT");
    EXPECT(WRITE(unsigned, "thread.arena", unknown) == EFAULT, "an unknown arena to be refused");
    EXPECT(mallctl("arena.0.reset", NULL, NULL, NULL, 0) == EFAULT, "arena 0 not to be reset");
    EXPECT(
        mallctl("arena.0.destroy", NULL, NULL, NULL, 0) == EFAULT, "arena 0 not to be destroyed");
    EXPECT(WRITE(ssize_t, "arena.0.dirty_decay_ms", -2) == EFAULT, "a time below -1 to be refused");
    EXPECT(
        WRITE(size_t, "max_background_threads", 2) == EINVAL, "more than one thread to be refused");
    int on_stack;
    void *foreign = &on_stack;
    unsigned arena;
    size_t arena_length = sizeof arena;
    EXPECT(mallctl("arenas.lookup", &arena, &arena_length, &foreign, sizeof foreign) == EINVAL,
        "a foreign pointer to have no arena");
}

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

static void purge_gives_memory_back(void) {
    static const char *const names[] = {"arena.0.purge", "arena.1.purge", "arena.4096.purge"};
    enum { count = 20000 };
    static void *blocks[count];
    for (int n = 0; n < 3; n++) {
        for (int i = 0; i < count; i++) memset(blocks[i] = malloc(5000), 1, 5000);
        long loaded = resident_mib();
        for (int i = 0; i < count; i++) free(blocks[i]);
        REQUIRE(mallctl(names[n], NULL, NULL, NULL, 0) == 0, "%s to work", names[n]);
        EXPECT(resident_mib() <= loaded - 85, "95 MiB to go back by %s: %ld before, %ld after",
            names[n], loaded, resident_mib());
        refresh();
        EXPECT(READ(size_t, "stats.arenas.0.pdirty") * PAGE < 2 * MiB,
            "hardly any page to be free and resident");
    }
}

static void arenas_are_made_and_given_up(void) {
    unsigned count = READ(unsigned, "arenas.narenas");
    unsigned first = READ(unsigned, "arenas.create"), second = READ(unsigned, "arenas.create");
    EXPECT(first == count && second == count + 1, "new numbers, they are %u and %u", first, second);
    EXPECT(READ(unsigned, "arenas.narenas") == count + 2, "two arenas more");
    char name[64];
    snprintf(name, sizeof name, "arena.%u.initialized", first);
    EXPECT(READ(bool, name) == true, "the arena to exist");
    snprintf(name, sizeof name, "arena.%u.dirty_decay_ms", first);
    EXPECT(WRITE(ssize_t, name, 0) == 0, "a time to be accepted");
    EXPECT(WRITE(unsigned, "thread.arena", second) == 0 && READ(unsigned, "thread.arena") == second,
        "the thread to say its arena");
    char *block = mallocx(1000, MALLOCX_ARENA(first) | MALLOCX_TCACHE_NONE);
    fill(block, 1000, 1);
    snprintf(name, sizeof name, "arena.%u.purge", first);
    EXPECT(mallctl(name, NULL, NULL, NULL, 0) == 0, "an arena to be purged");
    snprintf(name, sizeof name, "arena.%u.destroy", first);
    EXPECT(mallctl(name, NULL, NULL, NULL, 0) == 0, "the arena to be given up");
    EXPECT(mallctl(name, NULL, NULL, NULL, 0) == EFAULT, "not twice");
    EXPECT(first_difference(block, 1000, 1) == 1000, "its block to be as it was");
    dallocx(block, 0);
    snprintf(name, sizeof name, "arena.%u.initialized", first);
    EXPECT(READ(bool, name) == false, "the arena to be gone");
    EXPECT(READ(unsigned, "arenas.create") == first, "its number to be used again");
    // As many as MALLOCX_ARENA can say, and no more.
    int made = 3;
    unsigned arena;
    size_t length = sizeof arena;
    int error;
    while ((error = mallctl("arenas.create", &arena, &length, NULL, 0)) == 0) made++;
    EXPECT(error == EAGAIN && made > 4000, "EAGAIN in the end, it is %d after %d", error, made);
    unsigned cache;
    for (made = 0; (error = mallctl("tcache.create", &cache, &length, NULL, 0)) == 0; made++) {}
    EXPECT(error == EAGAIN && made > 4000, "EAGAIN in the end, it is %d after %d", error, made);
    void *hooks = &made;
    length = sizeof arena;
    EXPECT(mallctl("arenas.create", &arena, &length, &hooks, sizeof hooks) == EFAULT,
        "hooks to be refused");
    void *ours = malloc(100);
    EXPECT(mallctl("arenas.lookup", &arena, &length, &ours, sizeof ours) == 0 && arena == 0,
        "a block to lie in arena 0");
}

static void times_choose_the_release(void) {
    enum { count = 10000 };
    static void *blocks[count];
    ssize_t before = READ(ssize_t, "opt.dirty_decay_ms");
    EXPECT(WRITE(ssize_t, "arena.0.dirty_decay_ms", -1) == 0 &&
               READ(ssize_t, "arena.0.dirty_decay_ms") == -1,
        "-1 to be taken");
    for (int i = 0; i < count; i++) memset(blocks[i] = malloc(8192), 1, 8192);
    long loaded = resident_mib();
    for (int i = 0; i < count; i++) free(blocks[i]);
    EXPECT(resident_mib() >= loaded - 2, "no page to go back: %ld before, %ld after", loaded,
        resident_mib());
    EXPECT(WRITE(ssize_t, "arena.4096.dirty_decay_ms", 0) == 0, "0 to be taken");
    EXPECT(READ(ssize_t, "arena.0.dirty_decay_ms") >= 0, "a time again");
    EXPECT(resident_mib() <= loaded - 70, "the pages to go back: %ld before, %ld after", loaded,
        resident_mib());
    EXPECT(READ(ssize_t, "opt.dirty_decay_ms") == before, "opt to say what was at start");
    EXPECT(WRITE(ssize_t, "arenas.dirty_decay_ms", 3000) == 0 &&
               WRITE(ssize_t, "arena.0.muzzy_decay_ms", 0) == 0,
        "to be accepted");
}

static void *idle(void *stop) {
    while (!atomic_load((atomic_int *)stop)) usleep(1000);
    return NULL;
}

static int threads(void) { return (int)status_kib("Threads"); }

// The scavenger ends when it is switched off, and comes again.
static void background_thread_is_the_scavenger(void) {
    REQUIRE(READ(bool, "background_thread") == true, "it to be wanted");
    EXPECT(READ(size_t, "stats.background_thread.num_threads") == 0 && threads() == 1,
        "no thread before the program has one");
    atomic_int stop = 0;
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, idle, &stop) == 0, "a thread");
    EXPECT(READ(size_t, "stats.background_thread.num_threads") == 1 && threads() == 3,
        "the scavenger, there are %d threads", threads());
    for (int i = 0; i < 20; i++) {
        EXPECT(WRITE(bool, "background_thread", false) == 0 &&
                   READ(bool, "background_thread") == false,
            "to be switched off");
        EXPECT(READ(size_t, "stats.background_thread.num_threads") == 0 && threads() == 2,
            "no scavenger, there are %d threads", threads());
        EXPECT(WRITE(bool, "background_thread", false) == 0, "to be switched off twice");
        EXPECT(
            WRITE(bool, "background_thread", true) == 0 && READ(bool, "background_thread") == true,
            "to be switched on");
        EXPECT(READ(size_t, "stats.background_thread.num_threads") == 1 && threads() == 3,
            "the scavenger, there are %d threads", threads());
        EXPECT(READ(bool, "opt.background_thread") == true, "opt to say what was at start");
    }
    EXPECT(WRITE(size_t, "max_background_threads", 0) == 0 && threads() == 2, "no scavenger");
    EXPECT(WRITE(bool, "background_thread", true) == 0 && threads() == 2, "still none");
    EXPECT(WRITE(size_t, "max_background_threads", 1) == 0 &&
               WRITE(bool, "background_thread", true) == 0 && threads() == 3,
        "it again");
    // It works: free pages go back by themselves.
    enum { count = 10000 };
    static void *blocks[count];
    for (int i = 0; i < count; i++) memset(blocks[i] = malloc(8192), 1, 8192);
    long loaded = resident_mib();
    for (int i = 0; i < count; i++) free(blocks[i]);
    for (int i = 0; i < 100 && resident_mib() > loaded - 60; i++) usleep(100000);
    EXPECT(resident_mib() <= loaded - 60, "the pages to go back: %ld before, %ld after", loaded,
        resident_mib());
    atomic_store(&stop, 1);
    pthread_join(thread, NULL);
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

static char printed[1 << 20];
static size_t printed_length;

// What a program's function may do: allocate, and ask.
static void collect(void *argument, const char *text) {
    free(malloc(100));
    (void)READ(size_t, "stats.allocated");
    REQUIRE(argument == printed, "the argument to be passed on");
    size_t length = strlen(text);
    REQUIRE(printed_length + length < sizeof printed, "room");
    memcpy(printed + printed_length, text, length + 1);
    printed_length += length;
}

static void print(const char *options) {
    printed_length = 0;
    malloc_stats_print(collect, printed, options);
}

static void json_is_printed(void) {
    print("J");
    write(1, printed, printed_length);
}
static void short_json_is_printed(void) {
    print("Jgab");
    write(1, printed, printed_length);
}

static void text_is_printed(void) {
    static const char *const options[] = {NULL, "", "g", "mdablxe", "QWERTY"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        print(options[i]);
        size_t allocated, active, metadata, resident, mapped, retained;
        const char *line = strstr(printed, "Allocated: ");
        REQUIRE(line != NULL, "a line of figures");
        EXPECT(sscanf(line,
                   "Allocated: %zu, active: %zu, metadata: %zu (n_thp 0), resident: %zu, mapped: "
                   "%zu, retained: %zu",
                   &allocated, &active, &metadata, &resident, &mapped, &retained) == 6,
            "six figures");
        EXPECT(allocated <= active && active <= resident, "figures that agree");
        EXPECT(strncmp(printed, "___ Begin jemalloc statistics ___", 33) == 0, "a beginning");
        EXPECT(strstr(printed, "--- End jemalloc statistics ---\n") != NULL, "an end");
        EXPECT((strstr(printed, "Version:") != NULL) == !(options[i] && strchr(options[i], 'g')),
            "no general information where it is unwanted");
    }
}

int main(int argc, char **argv) {
    static const struct test_case cases[] = {
        CASE(names_and_numbers_agree),
        CASE(numbers_in_a_name_may_be_exchanged),
        CASE(what_is_not_true_does_not_exist),
        CASE(wrong_lengths),
        CASE(what_may_not_be_done),
        CASE(figures_are_exact),
        CASE(purge_gives_memory_back),
        CASE(arenas_are_made_and_given_up),
        CASE(times_choose_the_release),
        CASE(background_thread_is_the_scavenger),
        CASE(requests_are_counted),
        CASE(children_of_a_busy_process_are_answered),
        CASE(json_is_printed),
        CASE(short_json_is_printed),
        CASE(text_is_printed),
    };
    return RUN_CASES(cases);
}
