#ifndef PERCOLATE_HEAP_FUNCTION_H
#define PERCOLATE_HEAP_FUNCTION_H

/// How the functions of <percolate/heap.h> are declared. A program that defines
/// PERCOLATE_HEAP_IS_OPTIONAL before the first include of one of its headers is not linked to the
/// library, and runs with it and without it: without it, the functions are null.
#ifdef PERCOLATE_HEAP_IS_OPTIONAL
#define PERCOLATE_HEAP_FUNCTION __attribute__((weak))
#else
#define PERCOLATE_HEAP_FUNCTION
#endif

#endif
