/// Reading the samples of the loaded heap, from inside.
#ifndef SAMPLES_TEST_H
#define SAMPLES_TEST_H

#include "../Stress/check.h"

#include <dlfcn.h>
#include <stdlib.h>

#include <percolate/heap_interface.h>

static const struct percolate_heap_interface *heap;

static inline void find_heap(void) {
    free(malloc(1));  // Starts it.
    heap = dlsym(RTLD_DEFAULT, "percolate_heap_interface");
    CHECK(heap != NULL && heap->version == PERCOLATE_HEAP_INTERFACE_VERSION);
    CHECK(heap->samples->version == PERCOLATE_SAMPLES_VERSION);
}

static inline const struct percolate_sample_site *site_at(uint64_t number) {
    return (const void *)(uintptr_t)(heap->samples->sites + number * heap->samples->site_stride);
}

static inline const struct percolate_sample *sample_at(uint64_t number) {
    return (const void *)(uintptr_t)(heap->samples->records + number * heap->samples->record_stride);
}

static inline const uint64_t *frames_of(const struct percolate_sample_site *site) {
    return (const uint64_t *)(uintptr_t)heap->samples->frames + site->first_frame;
}

/// Whether a return address of the site lies in [start, end).
static inline bool passes(const struct percolate_sample_site *site, const char *start, const char *end) {
    for (uint32_t frame = 0; frame < site->depth; frame++) {
        uintptr_t place = (uintptr_t)frames_of(site)[frame] - 1;
        if (place >= (uintptr_t)start && place < (uintptr_t)end) return true;
    }
    return false;
}
#endif
