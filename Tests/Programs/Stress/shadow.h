/// The shadow of the address space: one bit for each 8 bytes, set while some thread owns them.
/// Claims and releases are atomic per word, so any overlap of two live blocks is seen by the later
/// claim, whoever made the first. A program releases its bits *before* it frees and claims *after*
/// it allocated: between the two nobody may use the bytes.
#ifndef SHADOW_H
#define SHADOW_H

#include "check.h"

/// The addresses that a program may have, where it does not ask for more.
#if defined(__aarch64__)
enum { shadow_address_bits = 48, shadow_granule = 8 };
#else
enum { shadow_address_bits = 47, shadow_granule = 8 };
#endif

static _Atomic uint64_t *shadow_words;

/// Maps the shadow; only touched pages of it cost memory. Call once, before the first claim.
static inline void shadow_open(void) {
    size_t bytes = (size_t)1 << (shadow_address_bits - 6);
    void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED) fail("the shadow needs %zu bytes of address space: errno %d", bytes, errno);
    madvise(map, bytes, MADV_NOHUGEPAGE);
    shadow_words = map;
}

/// Sets (claim) or clears the bits of `start ..< start + length`, and returns whether all of them
/// were in the opposite state before.
static inline bool shadow_change(const void *start, size_t length, bool claim) {
    uint64_t first = (uintptr_t)start / shadow_granule;
    uint64_t end = ((uintptr_t)start + length + shadow_granule - 1) / shadow_granule;
    if ((uintptr_t)start + length > (uintptr_t)1 << shadow_address_bits) fail("address %p out of range", start);
    bool clean = true;
    while (first < end) {
        uint64_t low = first & 63, count = 64 - low;
        if (count > end - first) count = end - first;
        uint64_t mask = (count == 64 ? ~0ull : (1ull << count) - 1) << low;
        uint64_t before = claim ? atomic_fetch_or_explicit(&shadow_words[first / 64], mask, memory_order_acq_rel)
                                : atomic_fetch_and_explicit(&shadow_words[first / 64], ~mask, memory_order_acq_rel);
        if ((before & mask) != (claim ? 0 : mask)) clean = false;
        first += count;
    }
    return clean;
}

static inline void shadow_claim(const void *start, size_t length) {
    if (!shadow_change(start, length, true))
        fail("overlap: %p of %zu bytes was handed out while part of it is in use", start, length);
}

static inline void shadow_release(const void *start, size_t length) {
    if (!shadow_change(start, length, false))
        fail("overlap: part of %p of %zu bytes was also freed by somebody else", start, length);
}

#endif
