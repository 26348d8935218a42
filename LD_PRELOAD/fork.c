/// fork: libc's own, and a mark on the calling thread while it is inside.
///
/// The work is done by the fork handlers (Sources/Core/Heap/Forking.swift), which also serve forks that libc makes by itself. The mark is
/// for signal handlers that interrupt fork and allocate (Sources/Core/Platform/Lock.swift).
#include <percolate/process.h>
#include <unistd.h>

/// libc's other name of fork(2), bound when the library is loaded: fork may be called in signal handlers, dlsym(3) may not.
/// Weak, so that the library gets to say what is wrong in a libc that has no such name.
extern pid_t __fork(void) __attribute__((weak));

__attribute__((visibility("default"))) pid_t fork(void) {
    percolate_enter_fork();
    pid_t child = __fork();
    percolate_leave_fork();
    return child;
}
