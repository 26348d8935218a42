/// From a name to its numbers, and from those to the key.
///
/// The number of a component is the first row of `percolate_keys` that has the name up to there: so
/// the last one is the key's own row, and a prefix is a row as well. A number in the name stands
/// for itself (mallctlnametomib(3)).
#include <errno.h>
#include <string.h>

#include "Arenas.h"
#include "Key.h"
#include "Snapshot.h"

const char *percolate_key_component(const char *name, size_t depth, size_t *length) {
    for (; depth > 0; depth--) {
        name = strchr(name, '.');
        if (!name) return NULL;
        name++;
    }
    *length = strcspn(name, ".");
    return name;
}

static bool begins_alike(const char *left, const char *right, size_t depth) {
    size_t left_length, right_length;
    for (size_t i = 0; i < depth; i++) {
        const char *a = percolate_key_component(left, i, &left_length);
        const char *b = percolate_key_component(right, i, &right_length);
        if (!a || !b || left_length != right_length || memcmp(a, b, left_length) != 0) return false;
    }
    return true;
}

size_t percolate_key_group_end(size_t row, size_t depth) {
    size_t end = row + 1;
    while (end < percolate_key_count &&
           begins_alike(percolate_keys[end].name, percolate_keys[row].name, depth))
        end++;
    return end;
}

/// What a name or a list of numbers has come to so far: the rows that are left.
struct walk {
    size_t first, end;
    size_t depth;
    size_t index[2];
    size_t indexes;
};

static const struct walk start = {.first = 0};

/// Whether the next component is a number.
static bool expects_number(const struct walk *walk) {
    size_t length;
    const char *component =
        percolate_key_component(percolate_keys[walk->first].name, walk->depth, &length);
    return component && length == 1 && *component == '*';
}

/// Whether there is an arena, a size class or whatever the component before counts.
static bool exists(const struct walk *walk, size_t number) {
    const char *name = percolate_keys[walk->first].name;
    if (strncmp(name, "arena.", 6) == 0) return percolate_arena_may_be_named(number);
    if (strncmp(name, "stats.", 6) == 0 && walk->indexes == 0)
        return number == 0 || number == PERCOLATE_ALL_ARENAS;
    return number < percolate_small_class_count();
}

static bool take_number(struct walk *walk, size_t number) {
    if (!exists(walk, number)) return false;
    walk->index[walk->indexes++] = number;
    walk->depth++;
    return true;
}

/// `row` is the first of its group at this depth.
static void take_row(struct walk *walk, size_t row) {
    walk->depth++;
    walk->first = row;
    walk->end = percolate_key_group_end(row, walk->depth);
}

static bool take_component(struct walk *walk, const char *text, size_t length) {
    size_t row = walk->first, known_length;
    while (row < walk->end) {
        const char *known =
            percolate_key_component(percolate_keys[row].name, walk->depth, &known_length);
        if (known && known_length == length && memcmp(known, text, length) == 0) {
            take_row(walk, row);
            return true;
        }
        row = percolate_key_group_end(row, walk->depth + 1);
    }
    return false;
}

static bool parse_number(const char *text, size_t length, size_t *number) {
    if (length == 0 || length > 19) return false;
    *number = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        *number = *number * 10 + (size_t)(text[i] - '0');
    }
    return true;
}

static const struct percolate_key *finish(const struct walk *walk, size_t index[2]) {
    size_t length;
    const struct percolate_key *key = &percolate_keys[walk->first];
    if (walk->depth == 0 || percolate_key_component(key->name, walk->depth, &length)) return NULL;
    memcpy(index, walk->index, sizeof walk->index);
    return key;
}

/// Follows `name` for at most `limit` components, whose numbers go to `mib` where that is not NULL.
static bool follow(const char *name, size_t *mib, size_t limit, struct walk *walk) {
    *walk = start;
    walk->end = percolate_key_count;
    size_t length, number;
    while (true) {
        const char *component = percolate_key_component(name, walk->depth, &length);
        if (!component) return walk->depth > 0;
        // Beyond a key there is nothing, whether it was asked for or not.
        if (!percolate_key_component(percolate_keys[walk->first].name, walk->depth, &number))
            return false;
        if (walk->depth >= limit) return true;
        size_t depth = walk->depth;
        if (expects_number(walk)) {
            if (!parse_number(component, length, &number) || !take_number(walk, number))
                return false;
            if (mib) mib[depth] = number;
        } else {
            if (!take_component(walk, component, length)) return false;
            if (mib) mib[depth] = walk->first;
        }
    }
    return true;
}

int percolate_key_name_to_mib(const char *name, size_t *mib, size_t *length) {
    struct walk walk;
    if (!follow(name, mib, *length, &walk)) return ENOENT;
    *length = walk.depth;
    return 0;
}

const struct percolate_key *percolate_key_named(const char *name, size_t index[2]) {
    struct walk walk;
    return follow(name, NULL, PERCOLATE_KEY_DEPTH, &walk) ? finish(&walk, index) : NULL;
}

const struct percolate_key *percolate_key_at(const size_t *mib, size_t length, size_t index[2]) {
    struct walk walk = start;
    walk.end = percolate_key_count;
    if (length > PERCOLATE_KEY_DEPTH) return NULL;
    while (walk.depth < length) {
        size_t number = mib[walk.depth], unused;
        if (!percolate_key_component(percolate_keys[walk.first].name, walk.depth, &unused))
            return NULL;
        if (expects_number(&walk)) {
            if (!take_number(&walk, number)) return NULL;
            continue;
        }
        size_t row = walk.first;
        while (row < walk.end && row != number) row = percolate_key_group_end(row, walk.depth + 1);
        if (row >= walk.end) return NULL;
        take_row(&walk, row);
    }
    return finish(&walk, index);
}
