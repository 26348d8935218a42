#ifndef PERCOLATE_HEAP_INTERFACE_H
#define PERCOLATE_HEAP_INTERFACE_H

/// What the Swift API asks of a core: the shared object's where one is loaded, so that a process
/// has one heap, else its own.
///
/// The shared object exports the table under the name `percolate_heap_interface`, for dlsym(3). A
/// table of another version is not touched. All functions may be called from any thread, before
/// start-up too.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <percolate/cpu_opv.h>
#include <percolate/heap_counting.h>
#include "figures.h"
#include "samples.h"
#include "vector_entry.h"

#define PERCOLATE_HEAP_INTERFACE_VERSION 4

struct percolate_heap_interface {
    uint32_t version;
    /// Bytes of this table.
    uint32_t size;
    void *(*allocate)(size_t size);
    void *(*allocate_zeroed)(size_t size);
    /// `alignment` is a power of two.
    void *(*allocate_aligned)(size_t alignment, size_t size);
    void (*deallocate)(void *block);
    /// For blocks of `allocate` and `allocate_zeroed`.
    void (*deallocate_sized)(void *block, size_t size);
    /// For blocks of `allocate_aligned`.
    void (*deallocate_aligned)(void *block, size_t alignment, size_t size);
    /// Keeps only the default alignment.
    void *(*reallocate)(void *block, size_t size);
    size_t (*usable_size)(const void *block);
    bool (*release_free_memory)(void);
    /// The most bytes of pages in use; UINT64_MAX for no limit.
    void (*set_memory_limit)(uint64_t bytes);
    void (*process_figures)(struct percolate_process_figures *figures);
    /// Writes at most `capacity` records, none where `figures` is NULL; returns how many there are.
    size_t (*class_figures)(struct percolate_class_figures *figures, size_t capacity);
    size_t (*cpu_figures)(struct percolate_cpu_figures *figures, size_t capacity);
    /// Not in signal handlers.
    void (*begin_counting)(struct percolate_counting_scope *scope);
    void (*end_counting)(struct percolate_counting_scope *scope);
    /// As `percolate_run_vector`.
    long (*run_vector)(
        const struct cpu_op *vector, struct cpu_op *copy, int count, int cpu, int flags, enum percolate_vector_cpu which);
    /// Sets the mean numbers of bytes between sampled blocks and between guarded ones, 0 for none.
    /// Whether they hold now. Not in signal handlers.
    bool (*set_sampling)(uint64_t rate, uint64_t guard_rate);
    /// Where the samples are.
    const struct percolate_samples *samples;
    /// Checks at least as much as an `enum percolate_hardening` says. 0, or a negative error
    /// number.
    int (*harden)(int level);
    /// Sets the mean number of bytes between sampled blocks alone, and says it. As `set_sampling`.
    bool (*set_sample_rate)(uint64_t rate);
    uint64_t (*sample_rate)(void);
};

#endif
