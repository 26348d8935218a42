#ifndef PERCOLATE_MEMORY_CALLS_H
#define PERCOLATE_MEMORY_CALLS_H

/// The memory of other processes (process_vm_readv(2)): read and written as debuggers do, without stopping anybody.

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

/// Reads `count` bytes at `address` of `process`. How many there were, -1 with errno set.
static inline ssize_t linux_read_memory(pid_t process, uint64_t address, void *_Nonnull target, size_t count) {
    struct iovec local = {target, count};
    struct iovec remote = {(void *)(uintptr_t)address, count};
    return syscall(SYS_process_vm_readv, (long)process, &local, 1L, &remote, 1L, 0L);
}

/// Writes one word at `address` of `process`. 0, or -1 with errno set.
static inline int linux_write_word(pid_t process, uint64_t address, uint64_t value) {
    struct iovec local = {&value, sizeof value};
    struct iovec remote = {(void *)(uintptr_t)address, sizeof value};
    return syscall(SYS_process_vm_writev, (long)process, &local, 1L, &remote, 1L, 0L) == sizeof value ? 0 : -1;
}

#endif
