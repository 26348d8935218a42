/// The figures of a heap, and their names: one list for every place that shows them (statistics at
/// exit, `malloc_info`, the Swift API, the commands).
///
/// Figures are read while other threads go on: each was true at some moment, and sums are exact
/// once the process is quiet.
#ifndef PERCOLATE_FIGURES_H
#define PERCOLATE_FIGURES_H

#include <stddef.h>
#include <stdint.h>

#include <percolate/heap_figures.h>

#include "layout.h"

enum percolate_figure_kind {
    PERCOLATE_GAUGE,
    PERCOLATE_COUNTER,
};

/// A figure's name in every rendering, and where it is in its record. Text without pointers: the
/// list costs no relocation.
struct percolate_figure {
    char name[28];
    char help[64];
    /// Bytes from the start of the record to the figure, eight bytes long.
    uint16_t offset;
    /// An `enum percolate_figure_kind`.
    uint16_t kind;
};

static inline const char *percolate_figure_name(const struct percolate_figure *figure) { return figure->name; }
static inline const char *percolate_figure_help(const struct percolate_figure *figure) { return figure->help; }

/// The figures of a record, in the order in which they are shown. NULL behind the last.
const struct percolate_figure *percolate_process_figure(size_t number) PERCOLATE_HIDDEN;
const struct percolate_figure *percolate_class_figure(size_t number) PERCOLATE_HIDDEN;
const struct percolate_figure *percolate_cpu_figure(size_t number) PERCOLATE_HIDDEN;
#endif
