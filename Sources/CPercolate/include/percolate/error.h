#ifndef PERCOLATE_ERROR_H
#define PERCOLATE_ERROR_H

/// Where every programmer's error ends, after its line was written: the place for a breakpoint. Calls abort(3).
__attribute__((noreturn, noinline)) void percolate_error(void);
#endif
