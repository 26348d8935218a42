// Prints what mallctl answers where jemalloc(3) leaves no choice: the same under jemalloc and under
// Percolate. Each line is a call, the error, the length that came back, and the value where it may
// not differ.
#include <stdbool.h>

#include "jemalloc.h"

static unsigned char bytes[16];

static void call(
    const char *name, size_t old_length, const void *new, size_t new_length, bool shows_value) {
    size_t length = old_length;
    memset(bytes, 0, sizeof bytes);
    bool reads = old_length != SIZE_MAX;
    int error =
        mallctl(name, reads ? bytes : NULL, reads ? &length : NULL, (void *)new, new_length);
    printf("%s read %zd write %zu: %d", name, (ssize_t)old_length, new_length, error);
    if (reads && (error == 0 || error == EINVAL)) printf(", length %zu", length);
    if (shows_value) {
        for (size_t i = 0; i < 8; i++) printf(" %02x", bytes[i]);
    }
    printf("\n");
}

static void read_all_lengths(const char *name, bool shows_value) {
    for (size_t length = 0; length <= 16; length++) call(name, length, NULL, 0, shows_value);
}

static void numbers(const char *name, size_t given) {
    size_t mib[8], length = given;
    int error = mallctlnametomib(name, mib, &length);
    printf("numbers of %s in %zu: %d", name, given, error);
    if (error == 0) printf(", length %zu", length);
    printf("\n");
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    static const char *const readable[] = {
        "version",
        "epoch",
        "background_thread",
        "max_background_threads",
        "thread.arena",
        "thread.tcache.enabled",
        "config.stats",
        "config.debug",
        "config.malloc_conf",
        "opt.abort",
        "opt.dss",
        "opt.narenas",
        "opt.dirty_decay_ms",
        "opt.tcache",
        "opt.stats_print",
        "arena.0.initialized",
        "arena.0.dss",
        "arena.0.dirty_decay_ms",
        "arena.0.muzzy_decay_ms",
        "arenas.narenas",
        "arenas.quantum",
        "arenas.page",
        "arenas.tcache_max",
        "arenas.nbins",
        "arenas.nhbins",
        "arenas.bin.0.size",
        "arenas.bin.0.nregs",
        "arenas.bin.0.slab_size",
        "arenas.nlextents",
        "stats.allocated",
        "stats.active",
        "stats.metadata",
        "stats.metadata_thp",
        "stats.resident",
        "stats.mapped",
        "stats.retained",
        "stats.background_thread.num_threads",
        "stats.arenas.0.pactive",
        "stats.arenas.0.pdirty",
        "stats.arenas.0.mapped",
        "stats.arenas.0.small.allocated",
        "stats.arenas.0.small.nmalloc",
        "stats.arenas.0.large.nrequests",
        "stats.arenas.0.tcache_bytes",
        "stats.arenas.0.bins.0.curregs",
        "stats.arenas.0.bins.0.curslabs",
        "stats.arenas.4096.small.nrequests",
        "stats.arenas.4096.pactive",
        "config.prof",
        "opt.prof",
        "opt.prof_prefix",
        "opt.prof_final",
        "opt.lg_prof_sample",
        "opt.lg_prof_interval",
        "prof.active",
        "prof.thread_active_init",
        "prof.lg_sample",
        "prof.interval",
        "thread.prof.active",
    };
    uint64_t number = 1;
    for (size_t i = 0; i < sizeof readable / sizeof *readable; i++) {
        read_all_lengths(readable[i], false);
        call(readable[i], SIZE_MAX, NULL, 0, false);
        for (size_t length = 0; length < 4; length++) numbers(readable[i], length + 1);
    }
    static const char *const same_value[] = {"thread.arena", "arenas.page", "arenas.quantum",
        "config.stats", "config.debug", "opt.abort", "opt.zero", "arena.0.initialized",
        "stats.background_thread.num_threads", "thread.tcache.enabled", "config.prof",
        "opt.prof_final", "prof.active", "prof.interval"};
    for (size_t i = 0; i < sizeof same_value / sizeof *same_value; i++)
        read_all_lengths(same_value[i], true);
    static const char *const read_only[] = {"version", "config.stats", "opt.dss", "arenas.page",
        "arenas.bin.0.size", "stats.allocated", "arenas.narenas", "stats.arenas.0.pactive",
        "tcache.create", "arena.0.initialized", "opt.prof", "opt.prof_prefix", "prof.lg_sample",
        "prof.interval"};
    for (size_t i = 0; i < sizeof read_only / sizeof *read_only; i++) {
        for (size_t length = 1; length <= 8; length++)
            call(read_only[i], SIZE_MAX, &number, length, false);
        call(read_only[i], SIZE_MAX, NULL, 8, false);
    }
    static const char *const written[] = {"epoch", "thread.tcache.enabled", "background_thread"};
    for (size_t i = 0; i < sizeof written / sizeof *written; i++) {
        for (size_t length = 2; length <= 16; length++) {
            unsigned char value[16] = {0};
            if (length != 8) call(written[i], SIZE_MAX, value, length, false);
        }
    }
    static const char *const actions[] = {"thread.tcache.flush", "thread.idle", "arena.0.purge",
        "arena.0.decay", "arena.4096.purge", "arena.0.reset", "arena.0.destroy"};
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        call(actions[i], SIZE_MAX, NULL, 0, false);
        call(actions[i], 8, NULL, 0, false);
        call(actions[i], SIZE_MAX, &number, 8, false);
    }
    // jemalloc 5.3 crashes where a part of a name is read.
    static const char *const unknown[] = {"", ".", "x", "stats.x", "stats.allocated.x",
        "stats.allocated.", "arena.0.x", "arena.9999.purge", "arenas.bin.9999.size",
        "stats.arenas.9999.pactive", "version.x", "epoch.", "Epoch"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        call(unknown[i], 8, NULL, 0, false);
        call(unknown[i], SIZE_MAX, &number, 8, false);
        call(unknown[i], SIZE_MAX, NULL, 0, false);
        for (size_t length = 1; length < 4; length++) numbers(unknown[i], length);
    }
    unsigned none = 3999;
    call("thread.arena", SIZE_MAX, &none, 4, false);
    ssize_t wrong = -2;
    call("arena.0.dirty_decay_ms", SIZE_MAX, &wrong, 8, false);
    call("arena.0.muzzy_decay_ms", SIZE_MAX, &wrong, 8, false);
    call("arenas.dirty_decay_ms", SIZE_MAX, &wrong, 8, false);
    call("arenas.create", 2, NULL, 0, false);
    call("arenas.create", 4, NULL, 0, false);
    call("tcache.create", 8, NULL, 0, false);
    call("tcache.flush", 4, NULL, 0, false);
    call("tcache.destroy", 4, NULL, 0, false);
    void *block = malloc(100);
    call("arenas.lookup", 4, &block, 8, false);
    call("arenas.lookup", 4, &block, 4, false);
    size_t most = 0;
    call("max_background_threads", SIZE_MAX, &most, 8, false);
    size_t mib[3] = {12345, 1, 2};
    printf("wrong numbers: %d\n", mallctlbymib(mib, 3, NULL, NULL, NULL, 0));
    return 0;
}
