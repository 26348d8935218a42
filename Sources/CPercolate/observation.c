#include "percolate/observation.h"

struct percolate_observed_heap percolate_observed_heap __attribute__((aligned(64)));
