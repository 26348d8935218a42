/// MALLOC_CONF (jemalloc(3), TUNING): read once, when the heap starts. What has a counterpart
/// becomes options of this heap, which PERCOLATE_OPTIONS overrides; what has none is said with the
/// statistics.
#ifndef PERCOLATE_JEMALLOC_CONFIGURATION_H
#define PERCOLATE_JEMALLOC_CONFIGURATION_H

#include <stdbool.h>

struct percolate_configuration {
    /// As PERCOLATE_OPTIONS is written.
    char options[256];
    /// `key:value` pairs without a counterpart, separated by commas.
    char unserved[512];
    char print_options[16];
    bool prints_statistics;
    bool huge_pages;
    /// `prof`, `prof_active`, `prof_final`, `prof_leak`, `lg_prof_sample` and `prof_prefix`.
    /// Without the first the others do nothing.
    bool profiles, profiles_at_start, profiles_at_exit, lists_leaks;
    unsigned profile_mean_logarithm;
    char profile_prefix[256];
};

#pragma GCC visibility push(hidden)
const struct percolate_configuration *percolate_configuration(void);
#pragma GCC visibility pop
#endif
