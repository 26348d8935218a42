#include "percolate/figures.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define GAUGE(record, name, field, help) {name, help, offsetof(struct record, field), PERCOLATE_GAUGE}
#define COUNTER(record, name, field, help) {name, help, offsetof(struct record, field), PERCOLATE_COUNTER}

/// What slow paths count for each CPU, and in sum for the process.
#define SLOW_PATHS(record)                                                                                             \
    COUNTER(record, "refills", refills, "Refills of a cache."),                                                        \
        COUNTER(record, "refilled_blocks", refilled_blocks, "Blocks of refills."),                                     \
        COUNTER(record, "drains", drains, "Drains of a full cache."),                                                  \
        COUNTER(record, "drained_blocks", drained_blocks, "Blocks of drains."),                                        \
        COUNTER(record, "steals", steals, "Caches emptied for another CPU."),                                          \
        COUNTER(record, "stolen_blocks", stolen_blocks, "Blocks of steals."),                                          \
        COUNTER(record, "capacity_changes", capacity_changes, "Changes of a capacity."),                               \
        COUNTER(record, "vectors_local", vectors_local, "Operation vectors run on their own CPU."),                    \
        COUNTER(record, "vectors_remote", vectors_remote, "Operation vectors run for another CPU."),                   \
        COUNTER(record, "sections_aborted", sections_aborted, "Sections aborted, as far as slow paths saw."),          \
        COUNTER(record, "gates_closed_local", gates_closed_local, "Gates closed by a section."),                       \
        COUNTER(record, "gates_closed_remote", gates_closed_remote, "Gates closed by a fence."),                       \
        COUNTER(record, "direct_allocations", direct_allocations, "Blocks allocated around the caches."),              \
        COUNTER(record, "direct_frees", direct_frees, "Blocks freed around the caches.")

#define PROCESS percolate_process_figures
static const struct percolate_figure process_figures[] = {
    GAUGE(PROCESS, "process_resident_bytes", resident, "Bytes of the process in memory."),
    GAUGE(PROCESS, "process_mapped_bytes", mapped, "Bytes of addresses the process has mapped."),
    GAUGE(PROCESS, "application_bytes", application, "Bytes of the blocks that the program has."),
    GAUGE(PROCESS, "cached_bytes", cached, "Bytes of free blocks in the caches of CPUs."),
    GAUGE(PROCESS, "free_bytes", free_blocks, "Bytes of free blocks in spans."),
    GAUGE(PROCESS, "free_resident_bytes", free_resident, "Bytes of free pages kept for reuse."),
    GAUGE(PROCESS, "metadata_bytes", metadata, "Bytes of the heap's own tables and slabs."),
    GAUGE(PROCESS, "large_bytes", large, "Bytes of large blocks."),
    GAUGE(PROCESS, "in_use_bytes", in_use, "Bytes of the heap's pages in use."),
    GAUGE(PROCESS, "committed_bytes", committed, "Bytes of the heap's pages that were ever in use."),
    COUNTER(PROCESS, "released_bytes", released, "Bytes given back to the kernel."),
    GAUGE(PROCESS, "spans_in_use", spans_in_use, "Spans in use."),
    GAUGE(PROCESS, "slabs", slabs, "CPUs that have caches."),
    COUNTER(PROCESS, "served_blocks", served_blocks, "Blocks handed out below the fast path."),
    COUNTER(PROCESS, "large_allocations", large_allocations, "Large blocks allocated."),
    COUNTER(PROCESS, "large_frees", large_frees, "Large blocks freed."),
    COUNTER(PROCESS, "emergency_allocations", emergency_allocations, "Blocks given to interrupting handlers."),
    GAUGE(PROCESS, "extends_slices", extends_slices, "Whether holders of locks ask for longer time slices."),
    COUNTER(PROCESS, "slices_extended", slices_extended, "Time slices of holders that were extended."),
    COUNTER(PROCESS, "slices_yielded", slices_yielded, "Extended slices given up in time."),
    SLOW_PATHS(PROCESS),
};

#define CLASS percolate_class_figures
static const struct percolate_figure class_figures[] = {
    GAUGE(CLASS, "block_bytes", block_size, "Bytes of a block."),
    GAUGE(CLASS, "span_bytes", span_size, "Bytes of a span."),
    GAUGE(CLASS, "spans", spans, "Spans of the size class."),
    GAUGE(CLASS, "blocks", blocks, "Blocks in the spans."),
    GAUGE(CLASS, "free_blocks", free_blocks, "Blocks free in spans."),
    GAUGE(CLASS, "cached_blocks", cached_blocks, "Blocks free in caches."),
};

#define CPU percolate_cpu_figures
static const struct percolate_figure cpu_figures[] = {
    GAUGE(CPU, "cpu", index, "Number of the CPU, or concurrency id."),
    GAUGE(CPU, "cached_bytes", cached, "Bytes of free blocks in the caches."),
    GAUGE(CPU, "cached_blocks", cached_blocks, "Free blocks in the caches."),
    GAUGE(CPU, "capacity_bytes", capacity, "Bytes that the caches may hold as divided now."),
    GAUGE(CPU, "budget_bytes", budget, "Bytes that the caches may hold."),
    SLOW_PATHS(CPU),
};

const struct percolate_figure *percolate_process_figure(size_t number) {
    return number < COUNT(process_figures) ? &process_figures[number] : NULL;
}

const struct percolate_figure *percolate_class_figure(size_t number) {
    return number < COUNT(class_figures) ? &class_figures[number] : NULL;
}

const struct percolate_figure *percolate_cpu_figure(size_t number) {
    return number < COUNT(cpu_figures) ? &cpu_figures[number] : NULL;
}
