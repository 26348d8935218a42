/// Guards what mallctl's keys share. Not for signal handlers, as mallctl is not.
///
/// The word is the process id of the owner. In the child of a fork it may be the parent's, whose
/// thread is not here: the child takes over, and learns that what is guarded may be half written.
#ifndef PERCOLATE_JEMALLOC_GUARD_H
#define PERCOLATE_JEMALLOC_GUARD_H

#include <stdbool.h>

#pragma GCC visibility push(hidden)
/// Whether the guard was taken over from a thread that no longer exists.
bool percolate_guard_acquire(void);
void percolate_guard_release(void);
#pragma GCC visibility pop
#endif
