/// What assembly and Swift share: the memory that a restartable sequence reads and writes.
///
/// The tables, one reservation, found through `percolate_front.tables`:
///
///     0        size class of (size + 7) / 8, one byte each, for sizes up to PERCOLATE_SMALL_MAX
///     4128     slab gates: one pointer per index, entries -2 and -1 in front (an unregistered thread reads those)
///     72 Ki    under basic hardening, 8 bytes for each class: where the marks of its blocks are
///     128 Ki   class of each arena page, one byte each: 0 where the page holds no small blocks
///
/// A slab: one line for the front end, then one header of 8 bytes per size class, then arrays of
/// pointers. A header's fields count pointers from the start of the slab. `begin <= current <=
/// end`; [begin, current) are free blocks.
#ifndef PERCOLATE_LAYOUT_H
#define PERCOLATE_LAYOUT_H

#define PERCOLATE_SMALL_MAX 32768
#define PERCOLATE_PAGE_SHIFT 12

#define PERCOLATE_TABLE_SIZE_CLASS 0
#define PERCOLATE_TABLE_GATES 4128
#define PERCOLATE_TABLE_MARKS 73728
#define PERCOLATE_TABLE_PAGE_CLASS 131072
#define PERCOLATE_MAX_CPUS 8192

#define PERCOLATE_SLAB_HEADERS 64

/// Offsets of the fields of `struct percolate_front`.
#define PERCOLATE_FRONT_LIMIT 0
#define PERCOLATE_FRONT_LIMIT_MM_CID 8
#define PERCOLATE_FRONT_BASE 16
#define PERCOLATE_FRONT_PAGES 24
#define PERCOLATE_FRONT_PAGES_MM_CID 32
#define PERCOLATE_FRONT_TABLES 40
#define PERCOLATE_FRONT_RSEQ_CS 48
#define PERCOLATE_FRONT_LIMIT_SAMPLED 56
#define PERCOLATE_FRONT_LIMIT_SAMPLED_MM_CID 64
#define PERCOLATE_FRONT_LIMIT_MARKED 72
#define PERCOLATE_FRONT_LIMIT_MARKED_MM_CID 80
#define PERCOLATE_FRONT_PAGES_MARKED 88
#define PERCOLATE_FRONT_PAGES_MARKED_MM_CID 96

/// Offsets in a class's header.
#define PERCOLATE_HEADER_COUNTDOWN 2
#define PERCOLATE_HEADER_BEGIN 4
#define PERCOLATE_HEADER_END 6

/// The mark of a free block, and what the low byte of a block's address is more by where it is
/// handed out (Sources/Core/Arena/Marks.swift).
#define PERCOLATE_MARK_FREE 2
#define PERCOLATE_MARK_LIVE 1
/// Blocks that have marks begin at multiples of 1 << PERCOLATE_MARK_ALIGNMENT.
#define PERCOLATE_MARK_ALIGNMENT 4
/// Bits of an entry of PERCOLATE_TABLE_MARKS that hold a shift.
#define PERCOLATE_MARK_SHIFT_BITS 8

/// Distances from the field `rseq_cs` of a thread's rseq area to the two ids that can index the
/// gates.
#define PERCOLATE_RSEQ_CPU_ID -4
#define PERCOLATE_RSEQ_MM_CID 16

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

/// Shared mutable state whose safety Swift cannot check: the argument is in the protocol beside its
/// user.
#ifdef __swift__
#define PERCOLATE_SHARED __attribute__((swift_attr("nonisolated(unsafe)")))
#else
#define PERCOLATE_SHARED
#endif
#define PERCOLATE_HIDDEN __attribute__((visibility("hidden")))

/// The header of one size class in a slab.
struct percolate_class_header {
    uint16_t current;
    /// While blocks are sampled: how many more the class gives out here before one that may be a
    /// sample. Not part of the invariant of the other three, and stored by anybody
    /// (Sources/Core/FrontEnd/Countdown.swift).
    int16_t countdown;
    uint16_t begin;
    uint16_t end;
};

/// The variables of the fast path. All zero before start-up, so that every call leaves for the slow
/// path.
struct percolate_front {
    /// Sizes below this are served by a section indexed by cpu_id; 0 sends every call to the slow
    /// path.
    uint64_t limit;
    /// The same for the sections indexed by mm_cid. At most one of the limits is not 0.
    uint64_t limit_mm_cid;
    /// Address of arena page 0.
    uint64_t base;
    /// Number of arena pages that `free` may look up, for sections indexed by cpu_id.
    uint64_t pages;
    uint64_t pages_mm_cid;
    uint64_t tables;
    /// Offset of the field `rseq_cs` of the thread's rseq area from the thread pointer.
    int64_t rseq_cs;
    /// The same for the sections that count down to the next sample, for either index.
    uint64_t limit_sampled;
    uint64_t limit_sampled_mm_cid;
    /// Under basic hardening, in place of `limit` and the like: sections that look at the block's
    /// mark.
    uint64_t limit_marked;
    uint64_t limit_marked_mm_cid;
    uint64_t pages_marked;
    uint64_t pages_marked_mm_cid;
};

/// The process's own, by the name that assembly uses: the beginning of `percolate_process_heap`.
/// Not for Swift, where the calling thread's heap may be another one.
#ifndef __swift__
extern struct percolate_front percolate_front PERCOLATE_HIDDEN;
#endif

_Static_assert(offsetof(struct percolate_front, limit) == PERCOLATE_FRONT_LIMIT, "layout");
_Static_assert(offsetof(struct percolate_front, limit_mm_cid) == PERCOLATE_FRONT_LIMIT_MM_CID, "layout");
_Static_assert(offsetof(struct percolate_front, base) == PERCOLATE_FRONT_BASE, "layout");
_Static_assert(offsetof(struct percolate_front, pages) == PERCOLATE_FRONT_PAGES, "layout");
_Static_assert(offsetof(struct percolate_front, pages_mm_cid) == PERCOLATE_FRONT_PAGES_MM_CID, "layout");
_Static_assert(offsetof(struct percolate_front, tables) == PERCOLATE_FRONT_TABLES, "layout");
_Static_assert(offsetof(struct percolate_front, rseq_cs) == PERCOLATE_FRONT_RSEQ_CS, "layout");
_Static_assert(offsetof(struct percolate_front, limit_sampled_mm_cid) == PERCOLATE_FRONT_LIMIT_SAMPLED_MM_CID, "layout");
_Static_assert(offsetof(struct percolate_front, limit_sampled) == PERCOLATE_FRONT_LIMIT_SAMPLED, "layout");
_Static_assert(offsetof(struct percolate_class_header, countdown) == PERCOLATE_HEADER_COUNTDOWN, "layout");
_Static_assert(offsetof(struct percolate_class_header, begin) == PERCOLATE_HEADER_BEGIN, "layout");
_Static_assert(offsetof(struct percolate_class_header, end) == PERCOLATE_HEADER_END, "layout");
_Static_assert(offsetof(struct percolate_front, limit_marked) == PERCOLATE_FRONT_LIMIT_MARKED, "layout");
_Static_assert(offsetof(struct percolate_front, limit_marked_mm_cid) == PERCOLATE_FRONT_LIMIT_MARKED_MM_CID, "layout");
_Static_assert(offsetof(struct percolate_front, pages_marked) == PERCOLATE_FRONT_PAGES_MARKED, "layout");
_Static_assert(offsetof(struct percolate_front, pages_marked_mm_cid) == PERCOLATE_FRONT_PAGES_MARKED_MM_CID, "layout");
_Static_assert(PERCOLATE_TABLE_GATES + (PERCOLATE_MAX_CPUS + 2) * 8 <= PERCOLATE_TABLE_MARKS, "layout");
#endif
#endif
