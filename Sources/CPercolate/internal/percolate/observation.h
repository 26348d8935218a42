/// Where the heap of a process is, for observers: other processes, which read its memory as
/// debuggers do (process_vm_readv(2)), and the process's own statistics, which are collected by the
/// same code.
///
/// The shared object exports `percolate_observation`. An observer finds it through the dynamic
/// symbol table of the mapped object, checks `magic` and `version`, and reads the
/// `percolate_observed_heap` that it points to. That says where each figure is and what one of it
/// means: an observer knows no layout of the heap but this one.
///
/// Consistency. Every figure is an aligned word that its owner stores as a whole, so each value
/// read was true at some moment. Nothing is locked, so a block that moves between a cache and a
/// span while both are read may be counted twice or not at all: sums over a busy process are off by
/// the blocks that moved meanwhile, at most by what the caches hold, and exact where nothing moved.
/// Addresses in here are written once, before `is_ready`, and what they point to is never unmapped,
/// so that a reader meets no stale address. The tables of slabs grow; an address of a slab that
/// reads as 0 is a CPU without one. A process that ends, or executes another program, makes reads
/// fail or `magic` differ: an observer reads `magic` again after its figures and drops them where
/// it changed.
#ifndef PERCOLATE_OBSERVATION_H
#define PERCOLATE_OBSERVATION_H

#include <stdint.h>

#include "layout.h"

#define PERCOLATE_OBSERVATION_VERSION 2
/// "percolat", as a word.
#define PERCOLATE_OBSERVATION_MAGIC 0x74616c6f63726570

/// A word of 8 bytes, and what 1 in it stands for.
struct percolate_observed_word {
    uint64_t address;
    uint64_t unit;
};

/// Records one after the other, `stride` bytes apart.
struct percolate_observed_table {
    uint64_t address;
    uint32_t stride;
    uint32_t count;
};

/// What slow paths count: the order of `counter_columns`.
enum percolate_observed_counter {
    PERCOLATE_OBSERVED_REFILLS,
    PERCOLATE_OBSERVED_REFILLED_BLOCKS,
    PERCOLATE_OBSERVED_DRAINS,
    PERCOLATE_OBSERVED_DRAINED_BLOCKS,
    PERCOLATE_OBSERVED_STEALS,
    PERCOLATE_OBSERVED_STOLEN_BLOCKS,
    PERCOLATE_OBSERVED_CAPACITY_CHANGES,
    PERCOLATE_OBSERVED_VECTORS_LOCAL,
    PERCOLATE_OBSERVED_VECTORS_REMOTE,
    PERCOLATE_OBSERVED_SECTIONS_ABORTED,
    PERCOLATE_OBSERVED_GATES_CLOSED_LOCAL,
    PERCOLATE_OBSERVED_GATES_CLOSED_REMOTE,
    PERCOLATE_OBSERVED_DIRECT_ALLOCATIONS,
    PERCOLATE_OBSERVED_DIRECT_FREES,
    PERCOLATE_OBSERVED_LARGE_ALLOCATIONS,
    PERCOLATE_OBSERVED_LARGE_FREES,
    PERCOLATE_OBSERVED_EMERGENCY_ALLOCATIONS,
    /// Bytes of a hardened heap's blocks that the program does not have: of small ones, of large
    /// ones.
    PERCOLATE_OBSERVED_WITHHELD_BYTES,
    PERCOLATE_OBSERVED_WITHHELD_LARGE_BYTES,
    PERCOLATE_OBSERVED_COUNTERS,
};

struct percolate_observed_heap {
    /// Not 0 once start-up has filled in the rest.
    uint64_t is_ready;

    // As in `percolate_process_figures`.
    uint64_t mode, index, registration, can_fence, release;
    /// Whether `malloc` of the process is the heap's: not where the shared object was loaded by
    /// dlopen(3).
    uint64_t serves_malloc;
    uint64_t cache_budget, reserved, page_size;
    struct percolate_observed_word memory_limit;
    struct percolate_observed_word in_use, committed, free_resident, released, large, spans_in_use;
    /// The heap's tables are the first less the second.
    struct percolate_observed_word metadata, metadata_released;
    uint64_t extends_slices;
    struct percolate_observed_word slices_extended, slices_yielded;

    /// One record for each size class, that of class 0 unused. Fields: bytes of a block (4 bytes),
    /// pages and blocks of a span (2 each).
    struct percolate_observed_table classes;
    uint32_t block_size_offset, span_pages_offset, span_blocks_offset;

    /// One record for each shard of each class: 2^`shard_bits[0]` shards for classes below
    /// `first_of_whole_lines`, in front, and 2^`shard_bits[1]` for the others; behind them one for
    /// the sampled blocks of each class, from 0 on. Fields of 8 bytes: spans, and free blocks in
    /// them.
    struct percolate_observed_table lists;
    uint32_t span_count_offset, free_blocks_offset;
    uint32_t first_of_whole_lines;
    uint32_t shard_bits[2];

    /// One record for each index of the caches. Fields of 8 bytes: address of the slab, 0 for none;
    /// bytes of the capacities; budget.
    struct percolate_observed_table caches;
    uint32_t slab_offset, capacity_offset, budget_offset;
    /// In a slab: where the header of class 0 is, of 8 bytes each. A cache holds as many blocks as
    /// the first two bytes, a number, are above the third two.
    uint32_t headers_offset;

    /// One row of counters of 8 bytes for each index, and the column of each counter.
    struct percolate_observed_table counters;
    uint8_t counter_columns[PERCOLATE_OBSERVED_COUNTERS];

    /// Words of the fast path that an observer may set to 0, at any time and as often as it likes:
    /// then the next operation takes a slow path, which sees the requests below and sets the words
    /// as they must be.
    uint64_t limits[4];

    /// When an observer last asked for free memory to be given back, and what of that is done:
    /// nanoseconds of CLOCK_MONOTONIC, which only grow. An observer that asked at `t` has its
    /// answer once `trim_done` is not below `t`; where another observer's smaller time took the
    /// place of its own, it asks again.
    uint64_t trim_asked, trim_done;

    /// Address of the table of sampled blocks (samples.h); 0 in a build without.
    uint64_t samples;
};

struct percolate_observation {
    uint64_t magic;
    uint32_t version;
    /// Bytes of `struct percolate_observed_heap`.
    uint32_t size;
    uint64_t heap;
};

/// The column of a counter in its row.
static inline uint8_t *percolate_observed_column(
    const struct percolate_observed_heap *heap, enum percolate_observed_counter counter) {
    return (uint8_t *)&heap->counter_columns[counter];
}
#endif
