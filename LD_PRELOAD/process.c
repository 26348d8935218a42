/// The shared object's part in the life of the process: start, fork, end.
#include <percolate/syscalls.h>
#include <pthread.h>
#include <unistd.h>

#include "core.h"

/// Registered in a constructor: a preloaded library's constructors run after those of the libraries it precedes, so its
/// prepare handler runs before theirs. The locks know their owner, who passes. The heap itself starts with the first
/// call that needs it: a program that never allocates never pays.
__attribute__((constructor)) static void begin(void) {
#ifndef PERCOLATE_WITHOUT_FORK_HANDLERS  // A test build: the tests of fork must fail without the handlers.
    pthread_atfork(percolate_fork_prepare, percolate_fork_parent, percolate_fork_child);
#endif
}

__attribute__((destructor)) static void end(void) { percolate_end(); }

/// Many programs end without running destructors (a shell's child, a server's snapshot process); their statistics are wanted
/// too. Otherwise as _exit(2), and as safe in signal handlers.
__attribute__((visibility("default"), noreturn)) void _exit(int status) {
    percolate_end();
    for (;;) percolate_syscall6(SYS_exit_group, status, 0, 0, 0, 0, 0);
}

__attribute__((visibility("default"), noreturn)) void _Exit(int status) { _exit(status); }
