/// A block under test: what was asked for, what is written in it, and whether it is still so. Every
/// byte that malloc_usable_size grants belongs to the block: it is claimed in the shadow and
/// filled.
#ifndef BLOCK_H
#define BLOCK_H

#include "check.h"
#include "shadow.h"

#include <malloc.h>

void free_sized(void *, size_t) __attribute__((weak));
void free_aligned_sized(void *, size_t, size_t) __attribute__((weak));

enum size_distribution { sizes_tiny, sizes_mixed, sizes_large };

struct block {
    unsigned char *start;  // NULL: no block
    size_t size;           // as asked for
    size_t usable;         // as granted
    size_t alignment;      // as asked for by an aligned allocation, else 0
    uint64_t sequence;     // of its owner
    uint32_t owner;        // who allocated it
};

/// Who allocates: its stream of random numbers and its count of blocks.
struct owner {
    struct random random;
    uint64_t sequence, allocated, freed;
    enum size_distribution sizes;
    uint32_t number;
};

/// Blocks up to this size are written and verified in full; above, their first and last kilobyte
/// and one word of each kilobyte between (the shadow still covers every byte).
enum { block_full = 4096, block_stride = 1024 };

static inline uint64_t block_seed(const struct block *block) {
    return (block->sequence + 1) * 0xD6E8FEB86659FD93ull ^ (uint64_t)block->owner << 48 ^ block->size;
}

static inline uint64_t block_word(uint64_t seed, size_t offset) { return seed + offset * 0x9E3779B97F4A7C15ull; }

/// The next offset to look at after the 8 bytes at `offset`, in a block of `usable` bytes.
static inline size_t block_step(size_t offset, size_t usable) {
    bool dense = usable <= block_full || offset < block_stride || offset + 2 * block_stride > usable;
    return offset + (dense ? 8 : block_stride);
}

static inline void block_fill(struct block *block) {
    uint64_t seed = block_seed(block);
    size_t offset = 0;
    for (; offset + 8 <= block->usable; offset = block_step(offset, block->usable)) {
        uint64_t word = block_word(seed, offset);
        memcpy(block->start + offset, &word, 8);
    }
    for (offset = block->usable & ~(size_t)7; offset < block->usable; offset++)
        block->start[offset] = (unsigned char)(seed >> 8 * (offset & 7));
}

/// Verifies the first `length` bytes of what `block_fill` wrote, which are now at `start`.
static inline void block_verify(const struct block *block, const unsigned char *start, size_t length) {
    uint64_t seed = block_seed(block);
    for (size_t offset = 0; offset + 8 <= length; offset = block_step(offset, block->usable)) {
        uint64_t found;
        memcpy(&found, start + offset, 8);
        if (found != block_word(seed, offset))
            fail("overwritten: %p (owner %u, sequence %llu, %zu of %zu bytes): at %zu stands %016llx, not %016llx",
                start, block->owner, (unsigned long long)block->sequence, block->size, block->usable, offset,
                (unsigned long long)found, (unsigned long long)block_word(seed, offset));
    }
    if (length < block->usable) return;
    for (size_t offset = length & ~(size_t)7; offset < length; offset++)
        if (start[offset] != (unsigned char)(seed >> 8 * (offset & 7)))
            fail("overwritten: %p (owner %u, sequence %llu, %zu bytes): tail byte %zu", start, block->owner,
                (unsigned long long)block->sequence, block->size, offset);
}

/// Log-uniform sizes within a band, so that every class of it is met.
static inline size_t size_within(struct random *random, unsigned low_bit, unsigned high_bit) {
    unsigned bit = low_bit + (unsigned)random_below(random, high_bit - low_bit);
    return ((size_t)1 << bit) + random_below(random, (uint64_t)1 << bit);
}

static inline size_t block_random_size(struct owner *owner) {
    struct random *random = &owner->random;
    uint64_t draw = random_below(random, 1000);
    switch (owner->sizes) {
    case sizes_tiny: return random_below(random, 129);
    case sizes_mixed:
        if (draw < 700) return random_below(random, 257);
        if (draw < 950) return size_within(random, 7, 12);
        if (draw < 996) return size_within(random, 12, 16);
        return draw < 999 ? size_within(random, 16, 19) : size_within(random, 19, 22);
    case sizes_large: return draw < 300 ? size_within(random, 12, 17) : size_within(random, 17, 22);
    }
    return 0;
}

/// Records a fresh block, checks its place, claims and fills it.
static inline void block_adopt(struct block *block, struct owner *owner, void *start, size_t size, size_t alignment) {
    if (start == NULL) fail("owner %u: no memory for %zu bytes aligned to %zu", owner->number, size, alignment);
    // A block is aligned for every type that fits in it: 16 bytes, or 8 for blocks of up to 8.
    size_t least = alignment > 0 ? alignment : size <= 8 ? 8 : 16;
    if ((uintptr_t)start % least != 0) fail("misaligned: %p of %zu bytes, alignment %zu", start, size, least);
    size_t usable = malloc_usable_size(start);
    if (usable < size) fail("%p: usable size %zu is less than the %zu asked for", start, usable, size);
    *block = (struct block){start, size, usable, alignment, owner->sequence++, owner->number};
    shadow_claim(start, usable);
    block_fill(block);
}

static inline void block_allocate(struct block *block, struct owner *owner) {
    size_t size = block_random_size(owner);
    uint64_t draw = random_below(&owner->random, 100);
    size_t alignment = 0;
    void *start = NULL;
    if (draw < 70) {
        start = malloc(size);
    } else if (draw < 85) {
        start = calloc(size / 4 + 1, 4);
        size = (size / 4 + 1) * 4;
        for (size_t i = 0; start != NULL && i < size; i += 4)
            if (*(uint32_t *)((char *)start + i) != 0)
                fail("calloc: %p of %zu bytes is not zero at %zu", start, size, i);
    } else if (draw < 90) {
        start = realloc(NULL, size);
    } else {
        alignment = (size_t)8 << random_below(&owner->random, owner->sizes == sizes_tiny ? 5 : 10);
        if (draw < 95) {
            start = memalign(alignment, size);
        } else if (posix_memalign(&start, alignment, size) != 0) {
            start = NULL;
        }
    }
    owner->allocated++;
    block_adopt(block, owner, start, size, alignment);
}

/// Frees by any of the forms that the block allows, after verifying that it is what it was.
static inline void block_free(struct block *block, struct owner *owner) {
    block_verify(block, block->start, block->usable);
    if (malloc_usable_size(block->start) != block->usable) fail("%p: its usable size changed", block->start);
    shadow_release(block->start, block->usable);
    bool sized = random_below(&owner->random, 4) == 0;
    if (sized && block->alignment == 0 && free_sized) {
        free_sized(block->start, block->size);
    } else if (sized && block->alignment != 0 && free_aligned_sized) {
        free_aligned_sized(block->start, block->alignment, block->size);
    } else {
        free(block->start);
    }
    owner->freed++;
    block->start = NULL;
}

/// Moves the block to another size; the common prefix must survive.
static inline void block_reallocate(struct block *block, struct owner *owner) {
    size_t size = block_random_size(owner) + 1;
    block_verify(block, block->start, block->usable);
    shadow_release(block->start, block->usable);
    void *start = realloc(block->start, size);
    if (start == NULL) fail("owner %u: no memory to reallocate %zu bytes to %zu", owner->number, block->size, size);
    block_verify(block, start, size < block->size ? size : block->size);
    block_adopt(block, owner, start, size, 0);
}

#endif
