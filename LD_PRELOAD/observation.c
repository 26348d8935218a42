/// What observers of the process look for (see <percolate/observation.h>). Apart from the heap's
/// description itself, which a program that links the Swift API has too, of its own heap.
#include <percolate/heap_state.h>
#include <percolate/observation.h>
#include <stdlib.h>

#include "core.h"

extern const struct percolate_observation percolate_observation;

__attribute__((visibility("default"))) const struct percolate_observation percolate_observation = {
    .magic = PERCOLATE_OBSERVATION_MAGIC,
    .version = PERCOLATE_OBSERVATION_VERSION,
    .size = sizeof(struct percolate_observed_heap),
    .heap = (uint64_t)&percolate_process_heap.heap.observed,
};

/// The dynamic loader has bound the name to the process's `malloc`, whosever it is.
bool percolate_serves_malloc(void) {
    void *(*named)(size_t) = malloc;
    __asm__("" : "+r"(named));
    return named == percolate_own_malloc;
}
