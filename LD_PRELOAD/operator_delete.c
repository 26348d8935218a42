/// The forms of operator delete that are told an alignment.
#include <stdint.h>

#include "core.h"

/// The heap judges an alignment that the block cannot have been asked for with, and under full
/// hardening every one, since its records know.
void percolate_delete_aligned(void *block, size_t alignment) {
    uintptr_t page = ((uintptr_t)block - percolate_front.base) >> PERCOLATE_PAGE_SHIFT;
    uint64_t pages = percolate_front.pages | percolate_front.pages_mm_cid | percolate_front.pages_marked |
                     percolate_front.pages_marked_mm_cid;
    bool is_possible =
        percolate_is_power_of_two(alignment) && ((uintptr_t)block & (alignment - 1)) == 0;
    if (page < pages && is_possible) return percolate_own_free(block);
    percolate_deallocate_aligned(block, alignment);
}

void percolate_delete_sized_aligned(void *block, size_t size, size_t alignment) {
    percolate_deallocate_sized(block, size, alignment);
}

__attribute__((visibility("default"))) void _ZdlPvSt11align_val_t(void *, size_t)
    __attribute__((alias("percolate_delete_aligned")));
__attribute__((visibility("hidden"))) void percolate_own_ZdlPvSt11align_val_t(void *, size_t)
    __attribute__((alias("percolate_delete_aligned")));
