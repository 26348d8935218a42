/// Making the heap of this process stricter while it runs.
#ifndef PERCOLATE_HARDENING_H
#define PERCOLATE_HARDENING_H

#include <percolate/heap_function.h>

#ifdef __cplusplus
extern "C" {
#endif

/// How much the heap checks; the option `hardened` says it for a process that starts.
enum percolate_hardening {
    /// What costs the fast path nothing.
    PERCOLATE_HARDENING_OFF = 0,
    /// `hardened=basic`: every free is looked up.
    PERCOLATE_HARDENING_BASIC = 1,
    /// `hardened=1`: all that memory can show.
    PERCOLATE_HARDENING_FULL = 2,
};

/// Checks from here on at least as much as `level` says. A process never becomes less strict.
///
/// Blocks from before are recognized, and checked as far as their pages tell: double frees and
/// interior pointers are found, overflows are not. Any thread may call it at any time, but no
/// signal handler.
///
/// Returns 0, or -1 with errno: EINVAL for a level that does not exist, ENOTSUP where the kernel
/// has no addresses for the tables, or no membarrier(2) to reach the caches of other CPUs. Then
/// nothing has changed.
PERCOLATE_HEAP_FUNCTION int percolate_harden(int level);

#ifdef __cplusplus
}
#endif
#endif
