/// The restartable sequences that the core calls. Each is tried once; the caller counts.
#ifndef PERCOLATE_SECTIONS_H
#define PERCOLATE_SECTIONS_H

#include <stdint.h>

#include "layout.h"

/// What a section came to.
enum percolate_section_result {
    PERCOLATE_SECTION_DONE = 0,
    /// The header was not the expected one.
    PERCOLATE_SECTION_DIFFERS = 1,
    /// The gate did not hold the expected value: closed, or the CPU has another slab now.
    PERCOLATE_SECTION_GATE = 2,
    /// The thread runs on another CPU.
    PERCOLATE_SECTION_ELSEWHERE = 3,
    /// Preempted, migrated, interrupted by a signal, or single-stepped.
    PERCOLATE_SECTION_ABORTED = -1,
};

/// A move vector: compare the header, copy pointers, store the header.
struct percolate_move {
    /// The gate of the index, and the value it must have.
    uint64_t *gate;
    uint64_t open;
    uint64_t *header;
    uint64_t expected;
    uint64_t replacement;
    uint64_t *target;
    const uint64_t *source;
    /// Number of pointers, at most 64.
    uint64_t count;
    /// The index, and the offset of its field from the thread pointer.
    int64_t index;
    int64_t index_offset;
    /// Offset of the field `rseq_cs` from the thread pointer.
    int64_t rseq_cs;
};

/// Runs `move` as one section on the CPU that owns `move->index`.
///
///     if index of this CPU != move.index: return elsewhere
///     if *move.gate != move.open: return gate
///     if *move.header != move.expected: return differs
///     for i in 0 ..< move.count: move.target[i] = move.source[i]      // dead memory until the commit
///     *move.header = move.replacement                                 // commit
///     return done
int percolate_section_move(const struct percolate_move *move) PERCOLATE_HIDDEN;

/// Stores `value` into `*gate` if the thread runs on `index`: the same-CPU close.
///
///     if index of this CPU != index: return elsewhere
///     *gate = value                                                   // commit
///     return done
int percolate_section_close(uint64_t *gate, uint64_t value, int64_t index, int64_t index_offset, int64_t rseq_cs)
    PERCOLATE_HIDDEN;
#endif
