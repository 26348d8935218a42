/// The report as JSON: the names' tree. `stats.arenas` is an object of its own beside `stats`, with
/// `merged` and one member for each arena.
#include <string.h>

#include "Report.h"
#include "Snapshot.h"

/// Where the walk is.
struct place {
    struct percolate_writer *writer;
    struct percolate_report_choice choice;
    size_t arena, class;
    /// Members so far, and how deep they lie.
    bool has_members;
    int indent;
};

static void begin_member(struct place *place, const char *name, size_t length) {
    percolate_writer_add(
        place->writer, "%s\n%*s", place->has_members ? "," : "", place->indent * 2, "");
    if (length > 0) {
        percolate_writer_add_string(place->writer, name, length);
        percolate_writer_add(place->writer, ": ");
    }
    place->has_members = true;
}

static void open(struct place *place, const char *bracket) {
    percolate_writer_add(place->writer, "%s", bracket);
    place->indent++;
    place->has_members = false;
}

static void close(struct place *place, const char *bracket) {
    place->indent--;
    percolate_writer_add(place->writer, "\n%*s%s", place->indent * 2, "", bracket);
    place->has_members = true;
}

static void add_members(struct place *place, size_t first, size_t end, size_t depth);

static void add_classes(
    struct place *place, const char *name, size_t length, size_t first, size_t end, size_t depth) {
    begin_member(place, name, length);
    open(place, "[");
    for (place->class = 0; place->class < percolate_small_class_count(); place->class++) {
        begin_member(place, "", 0);
        open(place, "{");
        add_members(place, first, end, depth);
        close(place, "}");
    }
    place->class = 0;
    close(place, "]");
}

/// The rows from `first` to `end` agree in the components before `depth`.
static void add_members(struct place *place, size_t first, size_t end, size_t depth) {
    size_t length, next_length;
    for (size_t row = first; row < end; row = percolate_key_group_end(row, depth + 1)) {
        const struct percolate_key *key = &percolate_keys[row];
        size_t group_end = percolate_key_group_end(row, depth + 1);
        const char *component = percolate_key_component(key->name, depth, &length);
        const char *next = percolate_key_component(key->name, depth + 1, &next_length);
        union percolate_key_value value;
        if (!next) {
            if (!percolate_report_reads(key, place->arena, place->class, &value)) continue;
            begin_member(place, component, length);
            percolate_writer_add_value(place->writer, key->type, &value);
        } else if (depth == 1 && strncmp(key->name, "stats.arenas.", 13) == 0) {
            continue;
        } else if (*next == '*') {
            bool is_wanted =
                !(place->choice.omits_classes && strncmp(component, "bins", length) == 0);
            if (is_wanted) add_classes(place, component, length, row, group_end, depth + 2);
        } else {
            begin_member(place, component, length);
            open(place, "{");
            add_members(place, row, group_end, depth + 1);
            close(place, "}");
        }
    }
}

/// The rows that begin with `prefix`, as members.
static void add_object(struct place *place, const char *name, const char *prefix, size_t depth) {
    size_t row = 0;
    while (strncmp(percolate_keys[row].name, prefix, strlen(prefix)) != 0) row++;
    begin_member(place, name, strlen(name));
    open(place, "{");
    add_members(place, row, percolate_key_group_end(row, depth), depth);
    close(place, "}");
}

void percolate_report_json(struct percolate_writer *writer, struct percolate_report_choice choice) {
    struct place place = {.writer = writer, .choice = choice};
    open(&place, "{");
    begin_member(&place, "jemalloc", 8);
    open(&place, "{");
    if (!choice.omits_general) {
        begin_member(&place, "version", 7);
        percolate_writer_add_string(
            writer, PERCOLATE_JEMALLOC_VERSION, sizeof PERCOLATE_JEMALLOC_VERSION - 1);
        add_object(&place, "config", "config.", 1);
        add_object(&place, "opt", "opt.", 1);
        add_object(&place, "arenas", "arenas.", 1);
        add_object(&place, "prof", "prof.", 1);
    }
    add_object(&place, "stats", "stats.", 1);
    if (!choice.omits_merged || !choice.omits_arenas) {
        begin_member(&place, "stats.arenas", 12);
        open(&place, "{");
        if (!choice.omits_merged) add_object(&place, "merged", "stats.arenas.", 3);
        if (!choice.omits_arenas) add_object(&place, "0", "stats.arenas.", 3);
        close(&place, "}");
    }
    close(&place, "}");
    close(&place, "}");
    percolate_writer_add(writer, "\n");
}
