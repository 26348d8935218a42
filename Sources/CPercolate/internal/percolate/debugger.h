/// Where things are, for `LD_PRELOAD/percolate-gdb.py`, which reads the memory of a process or of a
/// core dump. Filled in once, when the heap has started. The script knows the structures of this
/// file from the debug information, and no other layout but that of `layout.h`.
#ifndef PERCOLATE_DEBUGGER_H
#define PERCOLATE_DEBUGGER_H

#include <stdint.h>

#include "layout.h"

/// Offsets of the fields of a span's record, each with the number of its bytes.
struct percolate_debugger_field {
    uint32_t offset, size;
};

struct percolate_debugger_view {
    /// The record of span n is at `spans + n * span_stride`. Number 0 is no span.
    uint64_t spans, span_stride;
    /// For each arena page, the number of its span, in 4 bytes. Its value means something where the
    /// page is in use.
    uint64_t page_spans;
    struct percolate_debugger_field first_page, pages, kind, size_class, shard, blocks, free;
    /// In the record: one bit for each block, set while the block is in its span.
    uint64_t bits_offset;

    /// The fork gate: the number of the thread that closed it, in 4 bytes. 64 bytes behind it, one
    /// number of 4 bytes for each thread that is inside the allocator.
    uint64_t fork_gate, fork_gate_slots;

    /// Words of locks: 0, or the number of the thread that owns it, with bit 31 set while others
    /// may wait.
    uint64_t start_lock, arena_lock, counting_lock;
    /// In each record of `lists` and `caches` of `struct percolate_observed_heap`.
    uint64_t list_lock_offset, cache_lock_offset;
    /// In each record of the lists: where blocks at rest are, 0 for nowhere and else 1 more than a
    /// number of parts, and how many they are. `transfer_memory` is the address of the word that
    /// holds the address of the parts.
    struct percolate_debugger_field transfer_part, transfer_count;
    uint64_t transfer_memory, transfer_part_bytes;

    /// The gate of index n is the word at `gates + 8 * n`, and holds the address of a slab. This
    /// one is closed.
    uint64_t gates, closed_slab;

    /// From `layout.h`.
    uint64_t page_shift, page_classes;
    /// The script reads the headers of slabs by the type of this field, whose value means nothing.
    struct percolate_class_header header;
};
#endif
