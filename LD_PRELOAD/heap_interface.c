/// The table through which the Swift API of a program finds this heap (see
/// <percolate/heap_interface.h>).
#include <percolate/heap_interface.h>
#include <percolate/heap_state.h>

#include "core.h"

static void deallocate_aligned(void *block, size_t alignment, size_t size) {
    percolate_deallocate_sized(block, size, alignment);
}

extern const struct percolate_heap_interface percolate_heap_interface;

__attribute__((visibility("default"))) const struct percolate_heap_interface percolate_heap_interface = {
    .version = PERCOLATE_HEAP_INTERFACE_VERSION,
    .size = sizeof(struct percolate_heap_interface),
    .allocate = percolate_own_malloc,
    .allocate_zeroed = percolate_allocate_zeroed,
    .allocate_aligned = percolate_allocate_aligned,
    .deallocate = percolate_own_free,
    .deallocate_sized = percolate_own_free_sized,
    .deallocate_aligned = deallocate_aligned,
    .reallocate = percolate_own_reallocate,
    .usable_size = percolate_usable_size,
    .release_free_memory = percolate_trim,
    .set_memory_limit = percolate_set_memory_limit,
    .process_figures = percolate_process_figures,
    .class_figures = percolate_class_figures,
    .cpu_figures = percolate_cpu_figures,
    .begin_counting = percolate_begin_counting,
    .end_counting = percolate_end_counting,
    .run_vector = percolate_run_vector,
    .set_sampling = percolate_set_sampling,
    .samples = &percolate_process_heap.heap.samples,
    .harden = percolate_harden_heap,
    .set_sample_rate = percolate_set_sample_rate,
    .sample_rate = percolate_sample_rate,
};
