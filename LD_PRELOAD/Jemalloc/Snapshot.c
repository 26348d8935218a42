#include "Snapshot.h"

#include <errno.h>
#include <string.h>

#include "../core.h"
#include "Guard.h"

/// Guarded by the guard.
static struct percolate_snapshot snapshot;
static uint64_t epoch;
static struct percolate_class_figures classes[PERCOLATE_MOST_CLASSES];

static size_t difference(uint64_t whole, uint64_t part) { return whole > part ? whole - part : 0; }

size_t percolate_small_class_count(void) {
    size_t count = percolate_class_figures(NULL, 0);
    return count < PERCOLATE_MOST_CLASSES ? count : PERCOLATE_MOST_CLASSES;
}

static void add_classes(struct percolate_snapshot *result) {
    size_t count = percolate_small_class_count();
    percolate_class_figures(classes, count);
    for (size_t i = 0; i < count; i++) {
        result->blocks[i] =
            difference(classes[i].blocks, classes[i].free_blocks + classes[i].cached_blocks);
        result->spans[i] = classes[i].spans;
        result->small_allocated += result->blocks[i] * classes[i].block_size;
        result->cached += classes[i].cached_blocks * classes[i].block_size;
    }
}

/// The guard is held. Threads go on meanwhile: each figure was true at some moment, and all are
/// true once the process is quiet.
static void fill(struct percolate_snapshot *result) {
    memset(result, 0, sizeof *result);
    add_classes(result);
    struct percolate_process_figures process;
    percolate_process_figures(&process);
    result->small_nmalloc = process.refilled_blocks + process.direct_allocations;
    result->small_ndalloc = process.drained_blocks + process.direct_frees;
    result->small_nfills = process.refills;
    result->small_nflushes = process.drains;
    result->large_nmalloc = process.large_allocations;
    result->large_ndalloc = process.large_frees;
    result->large_allocated = process.large;
    result->active = process.in_use;
    result->active_pages = process.in_use >> PERCOLATE_PAGE_SHIFT;
    // Pages that the program freed and that may still be resident; under `lazy` the kernel may take
    // them.
    *(process.release == 1 ? &result->muzzy_pages : &result->dirty_pages) =
        process.free_resident >> PERCOLATE_PAGE_SHIFT;
    result->metadata = process.metadata;
    result->resident = process.in_use + process.free_resident + process.metadata;
    result->mapped = result->resident;
    result->retained = difference(process.committed, process.in_use + process.free_resident);
    result->allocated = result->small_allocated + result->large_allocated;
    // Programs divide the one by the other.
    if (result->allocated > result->active) result->allocated = result->active;
}

/// Acquires the guard, with figures to read behind it.
static void open_snapshot(void) {
    bool is_broken = percolate_guard_acquire();
    if (epoch != 0 && !is_broken) return;
    if (epoch == 0) epoch = 1;
    fill(&snapshot);
}

void percolate_refresh_snapshot(void) {
    percolate_guard_acquire();
    epoch++;
    fill(&snapshot);
    percolate_guard_release();
}

int percolate_answer_epoch(struct percolate_key_query *query) {
    open_snapshot();
    if (query->written) {
        epoch++;
        fill(&snapshot);
    }
    query->value.number64 = epoch;
    percolate_guard_release();
    return 0;
}

int percolate_answer_from_snapshot(struct percolate_key_query *query) {
    open_snapshot();
    memcpy(&query->value, (char *)&snapshot + query->key->operand.number,
        percolate_key_size(query->key->type));
    percolate_guard_release();
    return 0;
}

int percolate_answer_from_classes(struct percolate_key_query *query) {
    open_snapshot();
    query->value.size =
        ((size_t *)((char *)&snapshot + query->key->operand.number))[query->index[1]];
    percolate_guard_release();
    return 0;
}

/// What a size class is never changes.
static struct percolate_class_figures class_at(size_t index) {
    percolate_guard_acquire();
    if (classes[index].block_size == 0)
        percolate_class_figures(classes, percolate_small_class_count());
    struct percolate_class_figures result = classes[index];
    percolate_guard_release();
    return result;
}

int percolate_answer_class_count(struct percolate_key_query *query) {
    query->value.number = (unsigned)percolate_small_class_count();
    return 0;
}

int percolate_answer_class_size(struct percolate_key_query *query) {
    query->value.size = class_at(query->index[0]).block_size;
    return 0;
}

int percolate_answer_class_blocks(struct percolate_key_query *query) {
    struct percolate_class_figures class = class_at(query->index[0]);
    query->value.number32 = (uint32_t)(class.span_size / class.block_size);
    return 0;
}

int percolate_answer_class_span(struct percolate_key_query *query) {
    query->value.size = class_at(query->index[0]).span_size;
    return 0;
}
