/// The figures of a heap, and their names: one list for every place that shows them (statistics at
/// exit, `malloc_info`, the Swift API, the commands).
///
/// Figures are read while other threads go on: each was true at some moment, and sums are exact
/// once the process is quiet.
#ifndef PERCOLATE_FIGURES_H
#define PERCOLATE_FIGURES_H

#include <stddef.h>
#include <stdint.h>

#include "layout.h"

/// How the heap runs, and what it holds and counted since start.
struct percolate_process_figures {
    uint64_t process_id;
    /// 0 sections, 1 locked, 2 hardened.
    uint64_t mode;
    /// 0 cpu_id, 1 mm_cid.
    uint64_t index;
    /// 0 none, 1 glibc, 2 own.
    uint64_t registration;
    uint64_t can_fence;
    /// 0 prompt, 1 lazy, 2 never.
    uint64_t release;
    uint64_t cache_budget;
    uint64_t reserved;
    /// UINT64_MAX without a limit.
    uint64_t memory_limit;

    // From here on: what `percolate_process_figure` names.
    uint64_t resident, mapped;
    /// Bytes of the blocks that the program has, of free blocks in caches, and of free blocks in
    /// spans.
    uint64_t application, cached, free_blocks;
    uint64_t in_use, committed, free_resident, large, metadata, released;
    uint64_t spans_in_use, slabs, served_blocks;
    uint64_t large_allocations, large_frees;
    uint64_t emergency_allocations;
    uint64_t refills, refilled_blocks;
    uint64_t drains, drained_blocks;
    uint64_t steals, stolen_blocks;
    uint64_t capacity_changes;
    uint64_t vectors_local, vectors_remote;
    uint64_t sections_aborted;
    uint64_t gates_closed_local, gates_closed_remote;
    uint64_t direct_allocations, direct_frees;
};

/// The blocks of one size class: in spans, of those free in the middle tier, and of those free in
/// the caches.
struct percolate_class_figures {
    uint64_t block_size;
    uint64_t span_size;
    uint64_t spans;
    uint64_t blocks;
    uint64_t free_blocks;
    uint64_t cached_blocks;
};

/// The caches of one index, a CPU number or a concurrency id, and what was counted there.
struct percolate_cpu_figures {
    uint64_t has_slab;

    // From here on: what `percolate_cpu_figure` names.
    uint64_t index;
    uint64_t cached, cached_blocks;
    uint64_t capacity, budget;
    uint64_t refills, refilled_blocks;
    uint64_t drains, drained_blocks;
    uint64_t steals, stolen_blocks;
    uint64_t capacity_changes;
    uint64_t vectors_local, vectors_remote;
    uint64_t sections_aborted;
    uint64_t gates_closed_local, gates_closed_remote;
    uint64_t direct_allocations, direct_frees;
};

enum percolate_figure_kind {
    PERCOLATE_GAUGE,
    PERCOLATE_COUNTER,
};

/// A figure's name in every rendering, and where it is in its record. Text without pointers: the
/// list costs no relocation.
struct percolate_figure {
    char name[28];
    char help[64];
    /// Bytes from the start of the record to the figure, eight bytes long.
    uint16_t offset;
    /// An `enum percolate_figure_kind`.
    uint16_t kind;
};

static inline const char *percolate_figure_name(const struct percolate_figure *figure) { return figure->name; }
static inline const char *percolate_figure_help(const struct percolate_figure *figure) { return figure->help; }

/// The figures of a record, in the order in which they are shown. NULL behind the last.
const struct percolate_figure *percolate_process_figure(size_t number) PERCOLATE_HIDDEN;
const struct percolate_figure *percolate_class_figure(size_t number) PERCOLATE_HIDDEN;
const struct percolate_figure *percolate_cpu_figure(size_t number) PERCOLATE_HIDDEN;
#endif
