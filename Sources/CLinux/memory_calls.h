#ifndef PERCOLATE_MEMORY_CALLS_H
#define PERCOLATE_MEMORY_CALLS_H

/// The memory of other processes (process_vm_readv(2)): read and written as debuggers do, without
/// stopping anybody.

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stddef.h>
#include <stdint.h>
#include <sys/ptrace.h>
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

/// Becomes the tracer of a child, which is stopped when it is about to end, its memory still there
/// (ptrace(2), PTRACE_EVENT_EXIT).
static inline long linux_watch_end(pid_t process) {
    return ptrace(PTRACE_SEIZE, process, (void *)0, (void *)(long)PTRACE_O_TRACEEXIT);
}

/// Lets a stopped child go on, with a signal or 0.
static inline long linux_continue(pid_t process, int number) {
    return ptrace(PTRACE_CONT, process, (void *)0, (void *)(long)number);
}

/// Leaves a child stopped that a signal such as SIGTSTP has stopped, until it is continued as
/// usual.
static inline long linux_stay_stopped(pid_t process) { return ptrace(PTRACE_LISTEN, process, (void *)0, (void *)0); }

enum { LINUX_END_EVENT = PTRACE_EVENT_EXIT, LINUX_STOP_EVENT = PTRACE_EVENT_STOP };

#endif
