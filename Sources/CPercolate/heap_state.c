#include "percolate/heap_state.h"

// In whole pages: the front's two cache lines cross none, since AArch64 forms the address of each
// field from that of the page.
union percolate_heap_memory percolate_process_heap __attribute__((aligned(4096)));

extern struct percolate_front percolate_front __attribute__((alias("percolate_process_heap")));

__thread union percolate_heap_memory *percolate_bound_heap = &percolate_process_heap;

_Static_assert(sizeof(struct percolate_front) <= 128, "two lines");
