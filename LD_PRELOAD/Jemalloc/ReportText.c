/// The report as text: the general names one by one, the figures in the lines that programs look
/// for, a table of size classes.
#include <inttypes.h>
#include <string.h>

#include "Configuration.h"
#include "Report.h"
#include "Snapshot.h"

static void add_names(struct percolate_writer *writer, const char *prefix) {
    for (size_t row = 0; row < percolate_key_count; row++) {
        const struct percolate_key *key = &percolate_keys[row];
        union percolate_key_value value;
        if (strncmp(key->name, prefix, strlen(prefix)) != 0 || strchr(key->name, '*')) continue;
        if (!percolate_report_reads(key, 0, 0, &value)) continue;
        percolate_writer_add(writer, "  %s: ", key->name);
        percolate_writer_add_value(writer, key->type, &value);
        percolate_writer_add(writer, "\n");
    }
}

static void add_general(struct percolate_writer *writer) {
    percolate_writer_add(writer, "Version: \"%s\"\n", PERCOLATE_JEMALLOC_VERSION);
    percolate_writer_add(writer, "Build-time option settings\n");
    add_names(writer, "config.");
    percolate_writer_add(writer, "Run-time option settings\n");
    add_names(writer, "opt.");
    percolate_writer_add(writer, "Profiling settings\n");
    add_names(writer, "prof.");
    percolate_writer_add(writer, "Arenas\n");
    add_names(writer, "arenas.");
    const char *unserved = percolate_configuration()->unserved;
    if (*unserved)
        percolate_writer_add(writer, "MALLOC_CONF without a counterpart: %s\n", unserved);
}

static union percolate_key_value figure(const char *name, size_t class) {
    union percolate_key_value value = {.number64 = 0};
    size_t index[2];
    const struct percolate_key *key = percolate_key_named(name, index);
    if (key) percolate_report_reads(key, 0, class, &value);
    return value;
}

static void add_row(
    struct percolate_writer *writer, const char *title, const char *const names[5]) {
    percolate_writer_add(writer, "%-8s", title);
    for (size_t i = 0; i < 5; i++) {
        // A size and a count of 64 bits read alike.
        if (names[i]) percolate_writer_add(writer, " %16zu", figure(names[i], 0).size);
    }
    percolate_writer_add(writer, "\n");
}

static void add_classes(struct percolate_writer *writer) {
    percolate_writer_add(
        writer, "%-8s %12s %12s %16s %12s\n", "bins:", "size", "regs", "allocated", "slabs");
    for (size_t class = 0; class < percolate_small_class_count(); class++) {
        size_t size = figure("arenas.bin.0.size", class).size;
        size_t blocks = figure("stats.arenas.0.bins.0.curregs", class).size;
        size_t spans = figure("stats.arenas.0.bins.0.curslabs", class).size;
        if (spans == 0) continue;
        percolate_writer_add(
            writer, "%-8s %12zu %12zu %16zu %12zu\n", "", size, blocks, size * blocks, spans);
    }
}

static void add_arena(struct percolate_writer *writer, struct percolate_report_choice choice) {
    percolate_writer_add(writer, "%-8s %16s %16s %16s %16s %16s\n", "", "allocated", "nmalloc",
        "ndalloc", "nfills", "nflushes");
    static const char *const small[5] = {"stats.arenas.0.small.allocated",
        "stats.arenas.0.small.nmalloc", "stats.arenas.0.small.ndalloc",
        "stats.arenas.0.small.nfills", "stats.arenas.0.small.nflushes"};
    static const char *const large[5] = {"stats.arenas.0.large.allocated",
        "stats.arenas.0.large.nmalloc", "stats.arenas.0.large.ndalloc"};
    add_row(writer, "small:", small);
    add_row(writer, "large:", large);
    percolate_writer_add(
        writer, "tcache_bytes: %zu\n", figure("stats.arenas.0.tcache_bytes", 0).size);
    percolate_writer_add(writer, "active pages: %zu, dirty: %zu, muzzy: %zu\n",
        figure("stats.arenas.0.pactive", 0).size, figure("stats.arenas.0.pdirty", 0).size,
        figure("stats.arenas.0.pmuzzy", 0).size);
    if (!choice.omits_classes) add_classes(writer);
}

void percolate_report_text(struct percolate_writer *writer, struct percolate_report_choice choice) {
    percolate_writer_add(writer, "___ Begin jemalloc statistics ___\n");
    if (!choice.omits_general) add_general(writer);
    percolate_writer_add(writer,
        "Allocated: %zu, active: %zu, metadata: %zu (n_thp 0), resident: %zu, mapped: %zu, "
        "retained: %zu\n",
        figure("stats.allocated", 0).size, figure("stats.active", 0).size,
        figure("stats.metadata", 0).size, figure("stats.resident", 0).size,
        figure("stats.mapped", 0).size, figure("stats.retained", 0).size);
    percolate_writer_add(
        writer, "Background threads: %zu\n", figure("stats.background_thread.num_threads", 0).size);
    if (!choice.omits_merged || !choice.omits_arenas) add_arena(writer, choice);
    percolate_writer_add(writer, "--- End jemalloc statistics ---\n");
}
