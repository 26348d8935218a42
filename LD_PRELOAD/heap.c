/// The heap, for C programs (<percolate/heap.h>).
#include <errno.h>
#include <percolate/heap.h>
#include <string.h>

#include "core.h"
#include "misuse.h"

#define EXPORTED __attribute__((visibility("default")))

/// Callers may be older than the library, and know fewer figures, or newer.
static void copy_figures(void *target, size_t size, const void *figures, size_t known) {
    memcpy(target, figures, size < known ? size : known);
    if (size > known) memset((char *)target + known, 0, size - known);
}

static int result_of(int error) {
    if (error == 0) return 0;
    errno = error;
    return -1;
}

EXPORTED int percolate_heap_serves_malloc(void) { return percolate_serves_malloc(); }

EXPORTED void percolate_heap_figures(struct percolate_process_figures *figures, size_t size) {
    struct percolate_process_figures known;
    percolate_process_figures(&known);
    copy_figures(figures, size, &known, sizeof known);
}

EXPORTED size_t percolate_heap_class_figures(struct percolate_class_figures *figures, size_t size,
                                             size_t capacity) {
    size_t count = percolate_class_figures(NULL, 0);
    for (size_t position = 0; figures && position < count && position < capacity; position++) {
        struct percolate_class_figures known;
        percolate_one_class_figures(&known, position);
        copy_figures((char *)figures + position * size, size, &known, sizeof known);
    }
    return count;
}

EXPORTED size_t percolate_heap_cpu_figures(struct percolate_cpu_figures *figures, size_t size,
                                           size_t capacity) {
    size_t count = percolate_cpu_figures(NULL, 0);
    for (size_t index = 0; figures && index < count && index < capacity; index++) {
        struct percolate_cpu_figures known;
        percolate_one_cpu_figures(&known, index);
        copy_figures((char *)figures + index * size, size, &known, sizeof known);
    }
    return count;
}

EXPORTED int percolate_heap_write_statistics(int descriptor, int format) {
    return result_of(percolate_write_statistics_as(descriptor, format));
}

EXPORTED int percolate_heap_trim(void) { return percolate_trim(); }

EXPORTED void percolate_heap_set_limit(uint64_t bytes) { percolate_set_memory_limit(bytes); }

EXPORTED void percolate_heap_set_soft_limit(uint64_t bytes) {
    percolate_set_soft_memory_limit(bytes);
}

EXPORTED void percolate_heap_begin_counting(struct percolate_counting_scope *scope) {
    if (percolate_is_counting(scope)) percolate_report_misuse("counting scope begun twice", scope);
    percolate_begin_counting(scope);
}

EXPORTED void percolate_heap_end_counting(struct percolate_counting_scope *scope) {
    if (!percolate_is_counting(scope))
        percolate_report_misuse("counting scope ended that does not count", scope);
    percolate_end_counting(scope);
}

static void *or_no_memory(void *block) {
    if (block == NULL) errno = ENOMEM;
    return block;
}

EXPORTED void *percolate_heap_allocate(size_t alignment, size_t size) {
    if (!percolate_is_power_of_two(alignment)) {
        errno = EINVAL;
        return NULL;
    }
    return or_no_memory(percolate_allocate_aligned(alignment, size));
}

EXPORTED void *percolate_heap_allocate_zeroed(size_t alignment, size_t size) {
    if (!percolate_is_power_of_two(alignment)) {
        errno = EINVAL;
        return NULL;
    }
    return or_no_memory(percolate_allocate_aligned_zeroed(alignment, size));
}

EXPORTED void *percolate_heap_reallocate(void *block, size_t size) {
    return or_no_memory(block ? percolate_own_reallocate(block, size) : percolate_own_malloc(size));
}

EXPORTED void percolate_heap_deallocate(void *block) { percolate_own_free(block); }

EXPORTED void percolate_heap_deallocate_sized(void *block, size_t alignment, size_t size) {
    percolate_deallocate_sized(block, size, alignment);
}

EXPORTED size_t percolate_heap_block_size(const void *block) {
    return block ? percolate_usable_size(block) : 0;
}
