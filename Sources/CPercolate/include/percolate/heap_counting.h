#ifndef PERCOLATE_HEAP_COUNTING_H
#define PERCOLATE_HEAP_COUNTING_H

/// What is counted between `percolate_heap_begin_counting` and `percolate_heap_end_counting` of
/// <percolate/heap.h>.

#include <stdint.h>

/// What all threads allocate and free in the heap while the scope counts, exactly. The memory is
/// the caller's, and must stay where it is from beginning to end.
///
/// Bytes are those of whole blocks, as malloc_usable_size(3) has them. A reallocation that moves is
/// an allocation and a deallocation; one that stays in place changes the bytes alone.
struct percolate_counting_scope {
    /// Numbers of blocks.
    uint64_t allocations, deallocations;
    uint64_t allocated_bytes, deallocated_bytes;
    /// The most bytes that were allocated and not freed at one moment.
    uint64_t peak_bytes;
    /// Internal.
    struct percolate_counting_scope *next;
    /// Internal: the thread that began it. In the child of a fork by another one, the scope is
    /// forgotten.
    uintptr_t thread;
};

#endif
