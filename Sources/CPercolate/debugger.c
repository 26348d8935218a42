#include "percolate/debugger.h"

/// Nothing in the shared object reads it.
struct percolate_debugger_view percolate_debugger_view __attribute__((used));
