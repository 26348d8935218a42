/// `stats.arenas.<i>.small.nrequests`: blocks that the program asked for. The fast path counts
/// nothing, so they are counted from the first question on, by a scope that slows every allocation
/// of the process: what programs take are differences.
#ifndef PERCOLATE_JEMALLOC_REQUESTS_H
#define PERCOLATE_JEMALLOC_REQUESTS_H

#include "Key.h"

#pragma GCC visibility push(hidden)
int percolate_answer_small_requests(struct percolate_key_query *query);
#pragma GCC visibility pop
#endif
