/// The shared object's part in the life of the process: start, fork, end.
#include <gnu/libc-version.h>
#include <percolate/rseq.h>
#include <percolate/syscalls.h>
#include <string.h>
#include <unistd.h>

#include "Jemalloc/Profile.h"
#include "Jemalloc/Report.h"
#include "core.h"

#pragma weak gnu_get_libc_version

/// Apart from the allocator's code: a process that never allocates does not touch that, and does
/// not have its pages mapped.
#define LIGHT __attribute__((section(".text.startup")))

/// The oldest release of glibc that is supported: 2.OLDEST.
#define OLDEST 28
#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

/// Ends the process with a sentence. Its calls of malloc are bound to this library: it cannot go on
/// without.
__attribute__((noreturn, cold)) static void refuse_libc(const char *version) {
    const char *words[] = {
        "percolate: this program needs to run without libpercolate_malloc.so: its libc is ",
        version ? "glibc " : "not glibc",
        version ? version : "",
        ", and glibc 2." TEXT(OLDEST) " or later is supported\n",
    };
    for (size_t word = 0; word < sizeof words / sizeof words[0]; word++) {
        percolate_write(2, words[word], strlen(words[word]));
    }
    for (;;) percolate_syscall6(SYS_exit_group, 127, 0, 0, 0, 0, 0);
}

/// The number after the first dot of "2.36".
static unsigned minor_version(const char *version) {
    unsigned number = 0;
    const char *digit = strchr(version, '.');
    while (digit && *++digit >= '0' && *digit <= '9') {
        number = number * 10 + (unsigned)(*digit - '0');
    }
    return number;
}

/// A libc with rseq is glibc 2.35 or later, which costs no call to see.
LIGHT static void require_supported_libc(void) {
    if (&__rseq_size) return;
    const char *version = &gnu_get_libc_version ? gnu_get_libc_version() : NULL;
    if (!version || minor_version(version) < OLDEST) refuse_libc(version);
}

/// For a process that has not allocated by now; start-up registers otherwise. The heap itself
/// starts with the first call that needs it: a program that never allocates never pays.
LIGHT __attribute__((constructor)) static void begin(void) {
    require_supported_libc();
    percolate_note_program_break();
    percolate_register_fork_handlers(percolate_fork_prepare, percolate_fork_parent, percolate_fork_child);
}

/// A process that allocated nothing starts its heap only to say so.
LIGHT static void end(void) {
    if (percolate_has_started || percolate_options_text()) percolate_end();
}

LIGHT __attribute__((destructor)) static void exit_in_order(void) {
    if (percolate_has_started) {
        percolate_report_at_exit();
        percolate_profile_at_exit();
    }
    end();
}

/// Many programs end without running destructors (a shell's child, a server's snapshot process);
/// their statistics are wanted too. Otherwise as _exit(2), and as safe in signal handlers.
__attribute__((visibility("default"), noreturn)) void _exit(int status) {
    end();
    for (;;) percolate_syscall6(SYS_exit_group, status, 0, 0, 0, 0, 0);
}

__attribute__((visibility("default"), noreturn)) void _Exit(int status) { _exit(status); }

/// Says to the core that it is part of the shared object (<percolate/frames.h>).
__attribute__((visibility("hidden"))) const char percolate_shared_object_mark = 1;
