/// Sampled blocks, as a debugger, a profiler or another process reads them: a fixed layout, of
/// which `PERCOLATE_SAMPLES_VERSION` is the version. Everything here can be read by
/// process_vm_readv(2) while the process runs.
///
/// What is sampled. Each byte that the process allocates is a point with probability 1 / rate; a
/// block with one point or more is a sample. A block of `size` bytes is one with probability p = 1
/// - exp(-size / rate), so it stands for 1 / p blocks of its size (`blocks`). Every sum of these
/// weights, over a site, a thread or the process, is unbiased for what was allocated. The size that
/// p is from is that of the size class, and what was asked for where the block is large. A block
/// that realloc gives another size class, or other pages, counts as freed and allocated again.
///
/// How to find it. `struct percolate_samples` lies in the heap's state and never moves (`samples`
/// of `struct percolate_observed_heap`). The three tables lie where it says, and never move either
/// once their address is not 0. Entries below the counts were used at least once; the counts only
/// grow.
///
/// How to read it.
/// - Reject a `version` that you do not know. Use `record_stride`, `site_stride` and the like: a
///   later version may append fields.
/// - A record or a site is consistent when `sequence` is even, and is the same before and after you
///   copied it. Try again, a few times, where it is not; a record whose writer was killed or
///   stopped stays odd: leave it out.
/// - Frames and counts never change once a site can be seen, but for its figures.
/// - In a process that is stopped, everything can be read at once. Between two tables nothing is
///   consistent in a running one: a record may name a site that was made after you read the sites.
///   Read records first, then sites, then frames.
///
/// How to ask for something. Write `wanted_rate` and `wanted_guard_rate`, then add 1 to `requests`,
/// with one write of 8 bytes each, in this order. The next slow path of any thread, or the
/// scavenger's next tick, acts on it and stores the number that it saw into `answered`; then `rate`
/// and `guard_rate` say what holds. A process that does not allocate answers late or never.
///
/// `total` figures count since the process began, over every time that sampling was on: take the
/// difference of two readings for what was allocated in between. They are exact sums although
/// records of freed blocks are used again.
#ifndef PERCOLATE_SAMPLES_H
#define PERCOLATE_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layout.h"

#define PERCOLATE_SAMPLES_VERSION 1

/// Most frames of a stack. Deeper stacks keep the innermost ones.
#define PERCOLATE_SAMPLE_FRAMES 64

/// The mean number of bytes between samples where nobody says another.
#define PERCOLATE_SAMPLE_RATE 524288

enum percolate_sample_state {
    /// The record is free; its other fields mean nothing.
    PERCOLATE_SAMPLE_UNUSED = 0,
    PERCOLATE_SAMPLE_LIVE = 1,
    /// A guarded block that was freed, and whose pages are unusable for a while; or a block of a
    /// fully hardened heap, in quarantine.
    PERCOLATE_SAMPLE_FREED = 2,
};

/// One sampled block.
struct percolate_sample {
    /// Odd while the record is being changed.
    uint32_t sequence;
    /// enum percolate_sample_state.
    uint32_t state;
    uint64_t address;
    /// Bytes that were asked for.
    uint64_t size;
    /// How many blocks like this one it stands for. So many times `size` is how many bytes it
    /// stands for. 0 for a block that is guarded but not sampled, and for one that a reset has
    /// forgotten: it stands for nothing, and no figure counts it.
    double blocks;
    /// When it was allocated: nanoseconds of CLOCK_MONOTONIC.
    uint64_t time;
    /// The kernel's number of the thread that allocated it, and its name, which ends in 0 unless it
    /// is 16 bytes.
    int32_t thread;
    /// The same of the thread that freed it where the state is FREED, 0 before.
    int32_t freeing_thread;
    char thread_name[16];
    /// The number of the site that allocated it, and of the one that freed it (where the state is
    /// FREED; else 0, which is also a site).
    uint32_t site;
    uint32_t freeing_site;
    uint64_t freeing_time;
    /// 1 where the block ends at an unusable page.
    uint32_t guarded;
    /// Internal: the next record of the same list.
    uint32_t next;
};

/// One stack that allocated sampled blocks, or freed those that stay on record.
///
/// Site 0 has no frames: it stands for stacks that could not be read, or for which there was no
/// room.
struct percolate_sample_site {
    /// Odd while the figures are being changed.
    uint32_t sequence;
    /// Number of frames.
    uint32_t depth;
    /// Position of its innermost frame in the table of frames; the callers follow. Each frame is
    /// the address where the caller goes on (the return address): look up `frame - 1`. The
    /// allocator's own frames are left out.
    uint64_t first_frame;
    /// What its samples that are not freed stand for, and what all of its samples stand for.
    double live_blocks, live_bytes;
    double total_blocks, total_bytes;
    /// How many samples these are.
    uint64_t live_samples, total_samples;
    /// Internal: tells stacks apart, and the next site of the same list.
    uint64_t hash;
    uint32_t next;
    uint32_t reserved;
};

/// Where everything is, and what is asked for.
struct percolate_samples {
    /// 0 until the heap has started, as everything here: the process's first allocation does that.
    uint32_t version;
    /// Bytes of this structure.
    uint32_t size;

    /// Written by whoever asks. The mean number of bytes between samples: 0 for none, 1 for every
    /// block. And the mean number of bytes between guarded blocks: 0 for none, 1 for every block.
    uint64_t wanted_rate;
    uint64_t wanted_guard_rate;
    uint64_t requests;

    /// Written by the allocator: the last request that it acted on, and what holds.
    uint64_t answered;
    uint64_t rate;
    uint64_t guard_rate;
    /// When sampling was last switched on or off, or given another rate: nanoseconds of
    /// CLOCK_MONOTONIC.
    uint64_t changed;

    /// The tables: the address of entry 0 (0 while there is no table yet), bytes from one entry to
    /// the next, and the number of entries that were ever used.
    uint64_t records, record_stride, record_count;
    uint64_t sites, site_stride, site_count;
    /// Addresses of code, 8 bytes each.
    uint64_t frames, frame_count;

    /// Samples that were not recorded because the table was full or the caller had interrupted a
    /// change of it. Their blocks are plain ones, and the figures do not count them.
    uint64_t lost_samples;
    /// Stacks that had no room: their samples count for site 0.
    uint64_t lost_sites;
    /// Bytes of memory that the tables may use by now.
    uint64_t table_bytes;
};

_Static_assert(sizeof(struct percolate_sample) == 88, "layout");
_Static_assert(sizeof(struct percolate_sample_site) == 80, "layout");
_Static_assert(sizeof(struct percolate_samples) == 152, "layout");
#endif
