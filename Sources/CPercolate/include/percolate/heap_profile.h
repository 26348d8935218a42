#ifndef PERCOLATE_HEAP_PROFILE_H
#define PERCOLATE_HEAP_PROFILE_H

/// Where the heap's memory goes: an estimate from sampled blocks, by the stack that allocated them.
///
/// A sample is taken at random, once in so many allocated bytes in the mean, and stands for the
/// blocks like it that were not sampled. Sums of `live_bytes`, `total_bytes` and the like, over
/// whichever sites, are unbiased; with n samples they are off by one part in the square root of n
/// or so. While sampling is off it costs nothing.
///
/// Any thread may call these functions, signal handlers may not. The heap is not locked while a
/// visitor runs, so it may allocate and free.

#include <percolate/heap_function.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The mean number of bytes between samples that suits production.
#define PERCOLATE_HEAP_PROFILE_MEAN 524288

/// One stack that allocated samples, and what they stand for.
struct percolate_heap_site {
    /// Its place in the order of visits; a sample says it of its own site. Stays the same while the
    /// process lives.
    size_t number;
    /// Return addresses, the innermost first, without the allocator's own frames: the instruction
    /// of the call lies before each. They stay valid while the process lives. None for all stacks
    /// that could not be read or had no room, which are site 0.
    const uint64_t *frames;
    size_t depth;
    /// Estimates: what was allocated here and is not freed, and all that was allocated here while
    /// sampling was on. Bytes as they were asked for.
    double live_blocks, live_bytes;
    double total_blocks, total_bytes;
    /// Of how many samples the estimates are.
    uint64_t live_samples, total_samples;
};

/// One sampled block that is not freed.
struct percolate_heap_sample {
    uintptr_t address;
    /// Bytes that were asked for.
    size_t size;
    /// How many blocks like it the sample stands for.
    double blocks;
    /// When it was allocated: nanoseconds of CLOCK_MONOTONIC (clock_gettime(2)).
    uint64_t time;
    /// The thread that allocated it (gettid(2)), and its name at that time.
    int32_t thread;
    char thread_name[20];
    /// The number of its site.
    size_t site;
};

/// Starts sampling, once in `mean_bytes` allocated bytes, or goes on with another mean; 1 samples
/// every block, which is slow.
///
/// Returns 0, or -1 with errno: EINVAL for a mean of 0, ENOMEM where the kernel refuses memory for
/// the tables.
PERCOLATE_HEAP_FUNCTION int percolate_heap_start_profile(uint64_t mean_bytes);

/// Stops sampling. What was sampled stays in the profile until it is freed, and in its totals.
PERCOLATE_HEAP_FUNCTION void percolate_heap_stop_profile(void);

/// The mean number of bytes between samples; 0 while sampling is off.
PERCOLATE_HEAP_FUNCTION uint64_t percolate_heap_profile_mean(void);

/// How many samples had no room in the tables, and are in no figure.
PERCOLATE_HEAP_FUNCTION uint64_t percolate_heap_lost_samples(void);

/// Hands every site to `visit`, with `context`, until it returns something else than 0, and returns
/// that; else 0. Each site is whole, and was true at some moment.
PERCOLATE_HEAP_FUNCTION int
percolate_heap_visit_sites(int (*visit)(const struct percolate_heap_site *site, void *context),
                           void *context);

/// Hands every sampled block that is not freed to `visit`, as `percolate_heap_visit_sites` does.
/// Visit samples before sites: then every sample has its site.
PERCOLATE_HEAP_FUNCTION int percolate_heap_visit_samples(
    int (*visit)(const struct percolate_heap_sample *sample, void *context), void *context);

#ifdef __cplusplus
}
#endif

#endif
