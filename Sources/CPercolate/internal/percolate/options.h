/// The keys of PERCOLATE_OPTIONS: one list for the allocator, which names them where it does not
/// understand, and for the command's help.
#ifndef PERCOLATE_OPTIONS_H
#define PERCOLATE_OPTIONS_H

#include <stddef.h>

#include "layout.h"

/// Text without pointers: it is read before the shared object is relocated.
struct percolate_option {
    char key[16];
    char values[32];
    char help[96];
};

/// NULL behind the last.
const struct percolate_option *percolate_option(size_t number) PERCOLATE_HIDDEN;

static inline const char *percolate_option_key(const struct percolate_option *option) {
    return option->key;
}
static inline const char *percolate_option_values(const struct percolate_option *option) {
    return option->values;
}
static inline const char *percolate_option_help(const struct percolate_option *option) {
    return option->help;
}
#endif
