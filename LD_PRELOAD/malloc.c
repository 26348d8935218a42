/// The C interface beside `malloc`, `calloc` and `free`: C23, POSIX and the man pages malloc(3),
/// posix_memalign(3), malloc_usable_size(3). Safe in every thread.
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core.h"

#define EXPORTED __attribute__((visibility("default")))

static void *allocate_aligned(size_t alignment, size_t size) {
    void *block = percolate_allocate_aligned(alignment, size);
    if (!block) errno = ENOMEM;
    return block;
}

/// A program that brings its own `realloc`, but no `reallocarray`, gets one that goes with it, as
/// from glibc.
EXPORTED void *reallocarray(void *block, size_t count, size_t size) {
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) {
        errno = ENOMEM;
        return NULL;
    }
    void *(*named)(void *, size_t, size_t) = reallocarray;
    __asm__("" : "+r"(named));
    return named == percolate_own_reallocarray ? realloc(block, total) : percolate_own_realloc(block, total);
}

/// C23: the alignment and the size that the block was asked for with.
EXPORTED void free_aligned_sized(void *block, size_t alignment, size_t size) {
    percolate_deallocate_sized(block, size, alignment);
}

/// Leaves errno and, on failure, `*block` alone (posix_memalign(3)).
EXPORTED int posix_memalign(void **block, size_t alignment, size_t size) {
    if (!percolate_is_power_of_two(alignment) || alignment % sizeof(void *) != 0) return EINVAL;
    int saved = errno;
    void *result = percolate_allocate_aligned(alignment, size);
    errno = saved;
    if (!result) return ENOMEM;
    *block = result;
    return 0;
}

/// C23: fails for an alignment that is no power of two; the size need not be a multiple.
EXPORTED void *aligned_alloc(size_t alignment, size_t size) {
    if (!percolate_is_power_of_two(alignment)) {
        errno = EINVAL;
        return NULL;
    }
    return allocate_aligned(alignment, size);
}

/// As glibc: an alignment that is no power of two is rounded up to one.
EXPORTED void *memalign(size_t alignment, size_t size) {
    if (alignment > SIZE_MAX / 2 + 1) {
        errno = EINVAL;
        return NULL;
    }
    size_t power = 1;
    while (power < alignment) power <<= 1;
    return allocate_aligned(power, size);
}

EXPORTED void *valloc(size_t size) { return allocate_aligned((size_t)sysconf(_SC_PAGESIZE), size); }

EXPORTED void *pvalloc(size_t size) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (size > SIZE_MAX - page) {
        errno = ENOMEM;
        return NULL;
    }
    return allocate_aligned(page, (size + page - 1) & ~(page - 1));
}

EXPORTED size_t malloc_usable_size(void *block) { return block ? percolate_usable_size(block) : 0; }

void *percolate_own_reallocarray(void *, size_t, size_t) __attribute__((alias("reallocarray")));
EXPORTED void *__libc_reallocarray(void *, size_t, size_t) __attribute__((alias("reallocarray")));
EXPORTED void *__libc_memalign(size_t, size_t) __attribute__((alias("memalign")));
EXPORTED void *__libc_valloc(size_t) __attribute__((alias("valloc")));
EXPORTED void *__libc_pvalloc(size_t) __attribute__((alias("pvalloc")));
EXPORTED int __posix_memalign(void **, size_t, size_t) __attribute__((alias("posix_memalign")));
