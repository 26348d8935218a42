#include <percolate/gates.h>
#include <percolate/vector_entry.h>

// Zero is closed. A program linked at a fixed address gets a copy of these symbols that the shared
// object uses as well.
struct percolate_gate percolate_gates[PERCOLATE_GATES_MAX + 2];

struct percolate_gate percolate_mm_cid_gates[PERCOLATE_GATES_MAX + 2];

struct percolate_gate *percolate_public_gate(int index, enum percolate_gate_index kind) {
    return &(kind == PERCOLATE_GATE_OF_MM_CID ? percolate_mm_cid_gates : percolate_gates)[index + 2];
}

_Static_assert(PERCOLATE_GATE_CLOSED == 0, "gates are closed from the start");
_Static_assert(sizeof(struct percolate_gate) == 64, "one cache line each");
