#include "percolate/layout.h"

// In two cache lines of its own, the first of which has what malloc and free read while nothing is
// sampled or hardened. It crosses no page: AArch64 forms the address of each field from that of the
// page.
struct percolate_front percolate_front __attribute__((aligned(128)));

_Static_assert(sizeof percolate_front <= 128, "one block of its alignment");
