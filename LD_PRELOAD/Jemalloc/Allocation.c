/// jemalloc's own functions of allocation (jemalloc(3)). `mallocx`, `dallocx` and `sdallocx` are
/// sections of entry.S; what has an alignment or asks for zeroes comes here.
///
/// Where the manual leaves behaviour undefined: a size of 0 stands for 1, NULL has no bytes and may
/// be freed. Failure sets errno as malloc(3) does.
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "../core.h"
#include "Flags.h"

#define EXPORTED __attribute__((visibility("default")))
#define HIDDEN __attribute__((visibility("hidden")))

enum { PAGE = 1 << PERCOLATE_PAGE_SHIFT };

/// `size` rounded up to a multiple of `alignment`, which the sections serve at such a multiple; 0
/// where they do not. Class sizes are multiples of the step between them, and a rounded size is one
/// too or is itself beyond the step, so its class is a multiple of `alignment`; spans begin at a
/// page.
static inline size_t as_small(size_t alignment, size_t size) {
    // Without fast paths blocks may be guarded, and a size does not stand for an alignment.
    if (percolate_front.limit == 0 && percolate_front.limit_mm_cid == 0) return 0;
    if (alignment > PAGE || size > PERCOLATE_SMALL_MAX) return 0;
    size_t rounded = (size + alignment - 1) & -alignment;
    return rounded <= PERCOLATE_SMALL_MAX ? rounded : 0;
}

static inline bool is_aligned(const void *block, size_t alignment) {
    return ((uintptr_t)block & (alignment - 1)) == 0;
}

static void *or_no_memory(void *block) {
    if (!block) errno = ENOMEM;
    return block;
}

/// Bytes from which fresh pages are cheaper than zeroing: the kernel gives them when they are
/// touched.
enum { FRESH_PAGES = 1 << 18 };

/// Makes `[from, to)` of a block that the caller owns read as zero. Pages that cannot be exchanged,
/// because they are locked, are written.
static void zero(char *from, char *to) {
    if (to - from >= FRESH_PAGES && (uintptr_t)to % PAGE == 0) {
        char *first = (char *)(((uintptr_t)from + PAGE - 1) & -(uintptr_t)PAGE);
        int saved = errno;
        if (madvise(first, (size_t)(to - first), MADV_DONTNEED) == 0) to = first;
        errno = saved;
    }
    memset(from, 0, (size_t)(to - from));
}

/// A section of entry.S.
HIDDEN void *percolate_own_mallocx(size_t size, int flags);

/// Guarded blocks end where the request ends: what nallocx says may be used, so that is requested.
static size_t usable_request(size_t alignment, size_t size) {
    size_t real = percolate_block_size(alignment, size ? size : 1);
    return real ? real : size;
}

HIDDEN void *percolate_mallocx_slow(size_t size) {
    return or_no_memory(percolate_allocate(usable_request(1, size)));
}

/// The fast path popped `block`, and found its class's countdown expired.
HIDDEN void *percolate_mallocx_sampled(
    size_t size, void *block, uint64_t slab, uint64_t size_class, bool is_first) {
    return percolate_consider_sample(usable_request(1, size), block, slab, size_class, is_first);
}

static void *allocate_aligned(size_t alignment, size_t size) {
    return or_no_memory(percolate_allocate_aligned(alignment, usable_request(alignment, size)));
}

HIDDEN void *percolate_mallocx_shaped(size_t size, int flags) {
    size_t alignment = percolate_mallocx_alignment(flags);
    if (size == 0) size = 1;
    size_t small = as_small(alignment, size);
    if (!(flags & PERCOLATE_MALLOCX_ZERO)) {
        return small ? percolate_own_mallocx(small, 0) : allocate_aligned(alignment, size);
    }
    // All bytes of the block are zero: a later rallocx with MALLOCX_ZERO takes its real size as the
    // boundary.
    size_t usable = usable_request(alignment, size);
    if (!small) return or_no_memory(percolate_allocate_aligned_zeroed(alignment, usable));
    void *block = percolate_own_mallocx(small, 0);
    return block ? memset(block, 0, usable) : NULL;
}

/// Right is every size from the one that was asked for up to the real one. xallocx may have given a
/// large block more than was asked for at last.
static bool is_right(const void *block, size_t size, size_t alignment) {
    size_t real = percolate_usable_size(block);
    if (size == 0) size = 1;
    if (size > PERCOLATE_SMALL_MAX) return size <= real;
    return size <= real && real <= percolate_block_size(alignment, size);
}

HIDDEN void percolate_sdallocx_slow(void *block, size_t size) {
    if (block && is_right(block, size, 1)) return percolate_deallocate(block);
    percolate_deallocate_sized(block, size, 0);
}

/// A section of entry.S.
HIDDEN void percolate_own_sdallocx(void *block, size_t size, int flags);

HIDDEN void percolate_sdallocx_shaped(void *block, size_t size, int flags) {
    size_t alignment = percolate_mallocx_alignment(flags);
    if (!is_aligned(block, alignment)) return percolate_deallocate_sized(block, size, alignment);
    size_t small = as_small(alignment, size ? size : 1);
    if (small) return percolate_own_sdallocx(block, small, 0);
    if (block && is_right(block, size, alignment)) return percolate_deallocate(block);
    percolate_deallocate_sized(block, size, alignment);
}

/// Resizes by a new block and a copy.
static void *move(void *block, size_t old, size_t alignment, size_t size) {
    size_t small = as_small(alignment, size);
    void *target = small ? percolate_own_mallocx(small, 0) : allocate_aligned(alignment, size);
    if (!target) return NULL;
    memcpy(target, block, old < size ? old : size);
    percolate_own_free(block);
    return target;
}

static void *resize(void *block, size_t old, size_t alignment, size_t size) {
    if (is_aligned(block, alignment)) {
        if (percolate_block_size(alignment, size) == old) return block;
        // Every block is aligned to 16, also where it moves, and where it is guarded to no more.
        if (size > PERCOLATE_SMALL_MAX && alignment <= 16)
            return percolate_own_reallocate(block, size);
        if (size > PERCOLATE_SMALL_MAX && percolate_resize_in_place(block, size)) return block;
    }
    return move(block, old, alignment, size);
}

EXPORTED void *rallocx(void *block, size_t size, int flags) {
    if (!(flags & PERCOLATE_MALLOCX_SHAPE) && size) return percolate_own_realloc(block, size);
    if (size == 0) size = 1;
    if (!block) return percolate_mallocx_shaped(size, flags);
    size_t old = percolate_usable_size(block);
    char *resized = resize(block, old, percolate_mallocx_alignment(flags), size);
    if (resized && flags & PERCOLATE_MALLOCX_ZERO) {
        size_t real = percolate_usable_size(resized);
        if (real > old) zero(resized + old, resized + real);
    }
    return resized;
}

/// A small block keeps its class; a large one grows into free pages behind it and gives pages back
/// at its end.
EXPORTED size_t xallocx(void *block, size_t size, size_t extra, int flags) {
    if (!block) return 0;
    size_t old = percolate_usable_size(block);
    if (size == 0) size = 1;
    size_t most = extra > SIZE_MAX - size ? SIZE_MAX : size + extra;
    if (most > PTRDIFF_MAX) most = size > PTRDIFF_MAX ? size : PTRDIFF_MAX;
    if (!is_aligned(block, percolate_mallocx_alignment(flags))) return old;
    // Of a small block more is no use: it keeps its class, or in a hardened process its exact size.
    if (old <= PERCOLATE_SMALL_MAX) most = size;
    if (!percolate_resize_in_place(block, most) && size > old)
        percolate_resize_in_place(block, size);
    size_t real = percolate_usable_size(block);
    if (real > old && flags & PERCOLATE_MALLOCX_ZERO)
        zero((char *)block + old, (char *)block + real);
    return real;
}

EXPORTED size_t sallocx(const void *block, int flags) {
    (void)flags;
    return block ? percolate_usable_size(block) : 0;
}

EXPORTED size_t nallocx(size_t size, int flags) {
    return percolate_block_size(percolate_mallocx_alignment(flags), size ? size : 1);
}
