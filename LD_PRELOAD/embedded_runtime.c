/// What the Embedded Swift runtime wants of libc and older glibc releases do not have. The shared
/// object exports none of it.
#include <percolate/syscalls.h>

/// The seed of hashing, which the core does not use, would otherwise tie the shared object to glibc
/// 2.36.
__attribute__((visibility("hidden"))) void arc4random_buf(void *bytes, size_t count) {
    char *next = bytes;
    while (count > 0) {
        long written = percolate_syscall6(SYS_getrandom, (long)next, (long)count, 0, 0, 0, 0);
        if (written <= 0) continue;
        next += written;
        count -= (size_t)written;
    }
}
