/// Where the fast paths of the assembly entry points go when they cannot finish.
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include "core.h"

static void *or_no_memory(void *block) {
    if (!block) errno = ENOMEM;
    return block;
}

void *percolate_malloc_slow(size_t size) { return or_no_memory(percolate_allocate(size)); }

void *percolate_calloc_slow(size_t count, size_t size) {
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) return or_no_memory(NULL);
    return or_no_memory(percolate_allocate_zeroed(total));
}

/// The fast path popped `block` of class `size_class` from `slab`, and found the class's countdown
/// expired.
void *percolate_sampled(size_t size, void *block, uint64_t slab, uint64_t size_class, bool is_first) {
    return percolate_consider_sample(size, block, slab, size_class, is_first);
}

void *percolate_calloc_sampled(size_t total, void *block, uint64_t slab, uint64_t size_class, bool is_first) {
    return memset(percolate_consider_sample(total, block, slab, size_class, is_first), 0, total);
}

void percolate_free_slow(void *block) { percolate_deallocate(block); }

/// For a block that is marked free and could not go to a cache.
void percolate_free_marked_slow(void *block) { percolate_deallocate_marked(block); }

/// Under basic hardening the fast path of free serves blocks of the right class.
void percolate_free_sized_slow(void *block, size_t size) {
    uintptr_t page = ((uintptr_t)block - percolate_front.base) >> PERCOLATE_PAGE_SHIFT;
    if (page < (percolate_front.pages_marked | percolate_front.pages_marked_mm_cid) && size <= PERCOLATE_SMALL_MAX) {
        const uint8_t *tables = (const uint8_t *)percolate_front.tables;
        if (tables[PERCOLATE_TABLE_PAGE_CLASS + page] == tables[PERCOLATE_TABLE_SIZE_CLASS + (size + 7) / 8]) {
            return percolate_own_free(block);
        }
    }
    percolate_deallocate_sized(block, size, 0);
}

void *percolate_own_reallocate(void *block, size_t size) {
    size_t usable;
    void *resized = percolate_resize(block, size, &usable);
    if (resized) return resized;
    // The fast paths serve a move between size classes.
    resized = percolate_own_malloc(size);
    if (!resized) return NULL;
    memcpy(resized, block, usable < size ? usable : size);
    percolate_own_free(block);
    return resized;
}

/// As glibc: a size of 0 frees the block and returns NULL (realloc(3)).
void *percolate_realloc_slow(void *block, size_t size) {
    if (!block) return percolate_own_malloc(size);
    if (size == 0) {
        percolate_own_free(block);
        return NULL;
    }
    return percolate_own_reallocate(block, size);
}

void percolate_vfork_slow_begin(void) { percolate_vfork_started(); }

pid_t percolate_vfork_slow_end(long result) {
    percolate_vfork_ended();
    if (result >= 0) return (pid_t)result;
    errno = (int)-result;
    return -1;
}
