/// Giving memory back at each call: malloc_trim(3) of Percolate leaves a call out that follows
/// another at once.
#ifndef TRIM_H
#define TRIM_H

#include <malloc.h>

extern int percolate_heap_trim(void) __attribute__((weak));

static inline void trim_now(void) {
    if (percolate_heap_trim) {
        percolate_heap_trim();
    } else {
        malloc_trim(0);
    }
}

#endif
