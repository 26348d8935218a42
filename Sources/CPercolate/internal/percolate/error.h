#ifndef PERCOLATE_ERROR_H
#define PERCOLATE_ERROR_H

/// Where every programmer's error ends, after its line was written: the place for a breakpoint.
/// Calls abort(3).
///
/// Exported, so that a debugger finds it in a stripped shared object, but never replaced by another
/// definition.
__attribute__((noreturn, noinline, visibility("protected"))) void percolate_error(void);
#endif
