/// The heap profile, for C programs (<percolate/heap_profile.h>). It reads the tables of samples by
/// the rules of <percolate/samples.h>.
#include <errno.h>
#include <percolate/heap_profile.h>
#include <percolate/heap_state.h>
#include <string.h>

#include "core.h"

#define EXPORTED __attribute__((visibility("default")))

static struct percolate_samples *const samples = &percolate_process_heap.heap.samples;

_Static_assert(PERCOLATE_HEAP_PROFILE_MEAN == PERCOLATE_SAMPLE_RATE, "one default");

EXPORTED int percolate_heap_start_profile(uint64_t mean_bytes) {
    int error = mean_bytes == 0                         ? EINVAL
                : percolate_set_sample_rate(mean_bytes) ? 0
                                                        : ENOMEM;
    if (error == 0) return 0;
    errno = error;
    return -1;
}

EXPORTED void percolate_heap_stop_profile(void) {
    percolate_set_sample_rate(0);
}

EXPORTED uint64_t percolate_heap_profile_mean(void) { return percolate_sample_rate(); }

EXPORTED uint64_t percolate_heap_lost_samples(void) {
    return __atomic_load_n(&samples->lost_samples, __ATOMIC_RELAXED);
}

/// How often an entry is read again that is being changed.
enum { attempts = 1000 };

/// Copies an entry that nobody changed meanwhile. False where its writer does not come to an end.
///
/// The first four bytes of an entry are its sequence. A writer has stored an odd one before it
/// changes the others.
static bool copy_whole(void *copy, const void *entry, size_t size) {
    const uint32_t *sequence = entry;
    for (int attempt = 0; attempt < attempts; attempt++) {
        uint32_t before = __atomic_load_n(sequence, __ATOMIC_ACQUIRE);
        if (before & 1) continue;
        memcpy(copy, entry, size);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (__atomic_load_n(sequence, __ATOMIC_RELAXED) == before) return true;
    }
    return false;
}

/// Entry `number` of a table. The count was read before: then the table is there.
static const void *entry_of(const uint64_t *table, uint64_t stride, uint64_t number) {
    return (const void *)(uintptr_t)(__atomic_load_n(table, __ATOMIC_RELAXED) + number * stride);
}

EXPORTED int percolate_heap_visit_sites(int (*visit)(const struct percolate_heap_site *site,
                                                     void *context),
                                        void *context) {
    uint64_t count = __atomic_load_n(&samples->site_count, __ATOMIC_ACQUIRE);
    for (uint64_t number = 0; number < count; number++) {
        struct percolate_sample_site site;
        const void *entry = entry_of(&samples->sites, sizeof site, number);
        if (!copy_whole(&site, entry, sizeof site)) continue;
        struct percolate_heap_site visited = {
            .number = number,
            .frames = entry_of(&samples->frames, sizeof(uint64_t), site.first_frame),
            .depth = site.depth,
            .live_blocks = site.live_blocks,
            .live_bytes = site.live_bytes,
            .total_blocks = site.total_blocks,
            .total_bytes = site.total_bytes,
            .live_samples = site.live_samples,
            .total_samples = site.total_samples,
        };
        int result = visit(&visited, context);
        if (result != 0) return result;
    }
    return 0;
}

EXPORTED int percolate_heap_visit_samples(int (*visit)(const struct percolate_heap_sample *sample,
                                                       void *context),
                                          void *context) {
    uint64_t count = __atomic_load_n(&samples->record_count, __ATOMIC_ACQUIRE);
    for (uint64_t number = 0; number < count; number++) {
        struct percolate_sample record;
        const void *entry = entry_of(&samples->records, sizeof record, number);
        if (!copy_whole(&record, entry, sizeof record)) continue;
        // A block that is guarded and not sampled stands for nothing.
        if (record.state != PERCOLATE_SAMPLE_LIVE || !(record.blocks > 0)) continue;
        struct percolate_heap_sample sample = {
            .address = record.address,
            .size = record.size,
            .blocks = record.blocks,
            .time = record.time,
            .thread = record.thread,
            .site = record.site,
        };
        memcpy(sample.thread_name, record.thread_name, sizeof record.thread_name);
        int result = visit(&sample, context);
        if (result != 0) return result;
    }
    return 0;
}
