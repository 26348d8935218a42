#ifndef PERCOLATE_BYTES_H
#define PERCOLATE_BYTES_H

#include <stdint.h>
#include <string.h>

/// Copies `count` bytes between blocks that do not overlap.
static inline void percolate_copy(uintptr_t target, uintptr_t source, size_t count) {
    memcpy((void *)target, (const void *)source, count);
}

static inline void percolate_zero(uintptr_t target, size_t count) { memset((void *)target, 0, count); }

/// Fetches the line at an address, which need not be mapped, into the cache.
static inline void percolate_prefetch(uintptr_t address) { __builtin_prefetch((const void *)address); }
#endif
