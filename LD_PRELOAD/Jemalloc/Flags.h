/// The `flags` of jemalloc's own functions (jemalloc(3), MALLOCX_*).
///
/// The low six bits are the binary logarithm of an alignment, bit 6 asks for zeroes. Above them
/// stand the numbers of a thread cache and of an arena: caches here belong to CPUs, and every arena
/// is served by the one heap, so both are ignored.
#ifndef PERCOLATE_JEMALLOC_FLAGS_H
#define PERCOLATE_JEMALLOC_FLAGS_H

#define PERCOLATE_MALLOCX_ALIGNMENT 0x3f
#define PERCOLATE_MALLOCX_ZERO 0x40
/// What makes a call different from one without flags.
#define PERCOLATE_MALLOCX_SHAPE 0x7f

#ifndef __ASSEMBLER__
#include <stddef.h>

/// 1 where none was asked for.
static inline size_t percolate_mallocx_alignment(int flags) {
    return (size_t)1 << (flags & PERCOLATE_MALLOCX_ALIGNMENT);
}
#endif
#endif
