/// Numbers that are handed out and come back: of arenas and of thread caches.
#ifndef PERCOLATE_JEMALLOC_NUMBER_SET_H
#define PERCOLATE_JEMALLOC_NUMBER_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct percolate_number_set {
    /// All numbers are below it, which is at most 4096.
    size_t limit;
    uint64_t words[64];
};

static inline bool percolate_number_set_contains(
    const struct percolate_number_set *set, size_t number) {
    return number < set->limit && set->words[number / 64] >> number % 64 & 1;
}

/// Adds the lowest number from `lowest` on that is not in the set, and returns it. 0 where there is
/// none.
static inline size_t percolate_number_set_take(struct percolate_number_set *set, size_t lowest) {
    for (size_t number = lowest; number < set->limit; number++) {
        if (percolate_number_set_contains(set, number)) continue;
        set->words[number / 64] |= (uint64_t)1 << number % 64;
        return number;
    }
    return 0;
}

/// Whether it was in the set.
static inline bool percolate_number_set_remove(struct percolate_number_set *set, size_t number) {
    if (!percolate_number_set_contains(set, number)) return false;
    set->words[number / 64] &= ~((uint64_t)1 << number % 64);
    return true;
}
#endif
