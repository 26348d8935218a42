/// The figures of `stats.*`, as they were when the program last wrote `epoch`.
#ifndef PERCOLATE_JEMALLOC_SNAPSHOT_H
#define PERCOLATE_JEMALLOC_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "Key.h"

enum { PERCOLATE_MOST_CLASSES = 128 };

/// Bytes, pages or numbers of blocks. Those of blocks do not contain what the caches hold.
struct percolate_snapshot {
    size_t allocated, active, metadata, resident, mapped, retained;
    size_t active_pages, dirty_pages, muzzy_pages;
    size_t cached;
    size_t small_allocated;
    /// Blocks that went from the lower tiers to the caches or the program, and back.
    uint64_t small_nmalloc, small_ndalloc, small_nfills, small_nflushes;
    size_t large_allocated;
    uint64_t large_nmalloc, large_ndalloc;
    size_t blocks[PERCOLATE_MOST_CLASSES];
    size_t spans[PERCOLATE_MOST_CLASSES];
};

#pragma GCC visibility push(hidden)
size_t percolate_small_class_count(void);
/// What writing `epoch` does.
void percolate_refresh_snapshot(void);

int percolate_answer_epoch(struct percolate_key_query *query);
/// The operand is the field's offset.
int percolate_answer_from_snapshot(struct percolate_key_query *query);
/// The operand is the offset of an array of `size_t`, of which the last number in the name chooses
/// one.
int percolate_answer_from_classes(struct percolate_key_query *query);

/// `arenas.nbins`, `arenas.bin.<i>.*`
int percolate_answer_class_count(struct percolate_key_query *query);
int percolate_answer_class_size(struct percolate_key_query *query);
int percolate_answer_class_blocks(struct percolate_key_query *query);
int percolate_answer_class_span(struct percolate_key_query *query);
#pragma GCC visibility pop
#endif
