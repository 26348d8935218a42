#ifndef PERCOLATE_HEAP_FIGURES_H
#define PERCOLATE_HEAP_FIGURES_H

/// The figures of a heap: what it holds, and what it did since the process began. Bytes, unless
/// something else is said. `percolate_heap_figures` of <percolate/heap.h> and its like fill them
/// in.
///
/// They are read while other threads go on: each was true at some moment, and sums are exact once
/// the process is quiet.

#include <stdint.h>

/// Of the whole process.
struct percolate_process_figures {
    uint64_t process_id;
    /// 0: restartable sequences. 1: caches under locks. 2: hardened, without caches.
    uint64_t mode;
    /// What caches belong to. 0: CPU numbers. 1: concurrency ids.
    uint64_t index;
    /// Who registered the threads' sequences with the kernel. 0: nobody. 1: glibc. 2: the heap.
    uint64_t registration;
    /// 1 where the caches of other CPUs can be emptied, by membarrier(2).
    uint64_t can_fence;
    /// When free pages go back to the kernel. 0: promptly. 1: lazily. 2: never.
    uint64_t release;
    /// Free blocks that the caches of one CPU may hold.
    uint64_t cache_budget;
    /// Addresses that are reserved for the heap.
    uint64_t reserved;
    /// Pages that may be in use; UINT64_MAX without a limit.
    uint64_t memory_limit;

    /// Pages of the process that are in memory, of whatever owner, and addresses that it has
    /// mapped. 0 where /proc cannot be read.
    uint64_t resident, mapped;
    /// Blocks that the program has, free blocks in caches, and free blocks in spans.
    uint64_t application, cached, free_blocks;
    /// Pages in use; pages that were in use at some time; free pages that are kept for reuse; large
    /// blocks; the heap's own tables; and what was given back to the kernel.
    uint64_t in_use, committed, free_resident, large, metadata, released;
    /// Numbers of spans, of indexes that have caches, and of blocks handed out below the fast path.
    /// The last is above 0 in every process that the heap serves.
    uint64_t spans_in_use, slabs, served_blocks;
    /// Numbers of large blocks handed out, and of those taken back.
    uint64_t large_allocations, large_frees;
    /// Number of blocks that signal handlers got while they interrupted the heap.
    uint64_t emergency_allocations;
    /// 1 where threads ask for a longer time slice while they hold a lock. Numbers of slices that
    /// were extended, as far as their threads saw it, and of those that they gave up before the
    /// extension was over (rseq_slice_yield(2)).
    uint64_t extends_slices;
    uint64_t slices_extended, slices_yielded;
    // From here on: sums over the caches of all CPUs, as `struct percolate_cpu_figures` has them.
    uint64_t refills, refilled_blocks;
    uint64_t drains, drained_blocks;
    uint64_t steals, stolen_blocks;
    uint64_t capacity_changes;
    uint64_t vectors_local, vectors_remote;
    uint64_t sections_aborted;
    uint64_t gates_closed_local, gates_closed_remote;
    uint64_t direct_allocations, direct_frees;
};

/// Of one size class.
struct percolate_class_figures {
    uint64_t block_size;
    uint64_t span_size;
    /// Numbers of spans, of the blocks in them, of those that are free in spans, and of those that
    /// are free in caches.
    uint64_t spans;
    uint64_t blocks;
    uint64_t free_blocks;
    uint64_t cached_blocks;
};

/// Of the caches of one index, which is a CPU number or a concurrency id. But for bytes: numbers of
/// events since the process began, and of the blocks that they moved.
struct percolate_cpu_figures {
    /// 1 where the index has caches.
    uint64_t has_slab;

    uint64_t index;
    /// Free blocks in the caches: bytes, and how many.
    uint64_t cached, cached_blocks;
    /// Bytes that the caches have room for, and that they may have.
    uint64_t capacity, budget;
    /// Batches fetched for an empty cache, and taken from a full one.
    uint64_t refills, refilled_blocks;
    uint64_t drains, drained_blocks;
    /// Batches taken from the caches of another index.
    uint64_t steals, stolen_blocks;
    /// Times that a size class got more or less room.
    uint64_t capacity_changes;
    /// Operation vectors on the data of the thread's own CPU, and of others.
    uint64_t vectors_local, vectors_remote;
    /// Sequences of slow paths that were interrupted.
    uint64_t sections_aborted;
    /// Gates closed by a sequence, and by a fence.
    uint64_t gates_closed_local, gates_closed_remote;
    /// Blocks allocated and freed around the caches.
    uint64_t direct_allocations, direct_frees;
};

#endif
