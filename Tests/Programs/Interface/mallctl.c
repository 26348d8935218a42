// Promises of mallctl(3) as Percolate keeps them: names, numbers, lengths and rights.
#include <stdbool.h>

#include "jemalloc.h"

enum { PAGE = 4096 };

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

int main(int argc, char **argv) {
    static const struct test_case cases[] = {
        CASE(names_and_numbers_agree),
        CASE(numbers_in_a_name_may_be_exchanged),
        CASE(what_is_not_true_does_not_exist),
        CASE(wrong_lengths),
        CASE(what_may_not_be_done),
    };
    return RUN_CASES(cases);
}
