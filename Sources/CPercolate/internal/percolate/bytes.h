#ifndef PERCOLATE_BYTES_H
#define PERCOLATE_BYTES_H

#include <stdint.h>
#include <string.h>

/// Copies `count` bytes between blocks that do not overlap.
static inline void percolate_copy(uintptr_t target, uintptr_t source, size_t count) {
    memcpy((void *)target, (const void *)source, count);
}

static inline void percolate_zero(uintptr_t target, size_t count) { memset((void *)target, 0, count); }

/// Whether each of the `count` words at `start`, a multiple of 8, is `word`.
static inline int percolate_words_equal(uintptr_t start, uint64_t word, size_t count) {
    const uint64_t *words = (const uint64_t *)start;
    size_t index = 0;
    for (; index + 8 <= count; index += 8) {
        uint64_t different = 0;
        for (size_t part = 0; part < 8; part++) different |= words[index + part] ^ word;
        if (different) return 0;
    }
    for (; index < count; index++) {
        if (words[index] != word) return 0;
    }
    return 1;
}

/// Fetches the line at an address, which need not be mapped, into the cache.
static inline void percolate_prefetch(uintptr_t address) { __builtin_prefetch((const void *)address); }
#endif
