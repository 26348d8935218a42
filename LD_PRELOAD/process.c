/// The shared object's part in the life of the process: start, fork, end.
#include <percolate/syscalls.h>
#include <unistd.h>

#include "core.h"

/// Apart from the allocator's code: a process that never allocates does not touch that, and does not have its pages mapped.
#define LIGHT __attribute__((section(".text.startup")))

/// For a process that has not allocated by now; start-up registers otherwise. The heap itself starts with the first call that
/// needs it: a program that never allocates never pays.
LIGHT __attribute__((constructor)) static void begin(void) {
    percolate_register_fork_handlers(percolate_fork_prepare, percolate_fork_parent, percolate_fork_child);
}

/// A process that allocated nothing starts its heap only to say so.
LIGHT __attribute__((destructor)) static void end(void) {
    if (percolate_has_started || percolate_options_text()) percolate_end();
}

/// Many programs end without running destructors (a shell's child, a server's snapshot process); their statistics are wanted
/// too. Otherwise as _exit(2), and as safe in signal handlers.
__attribute__((visibility("default"), noreturn)) void _exit(int status) {
    end();
    for (;;) percolate_syscall6(SYS_exit_group, status, 0, 0, 0, 0, 0);
}

__attribute__((visibility("default"), noreturn)) void _Exit(int status) { _exit(status); }
