/// The state of one heap: every byte that tells it from another heap lies in one structure.
///
/// A process has one heap, `percolate_process_heap`, and the shared object knows no other: its
/// address is a constant. Threads of the hosted core may be bound to another one: its tests make
/// heaps of their own, which run side by side.
///
/// Zero bytes are a heap that has not started. So the process's needs no initialisation, and no
/// memory but that of the pages that are used.
#ifndef PERCOLATE_HEAP_STATE_H
#define PERCOLATE_HEAP_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "debugger.h"
#include "layout.h"
#include "observation.h"
#include "samples.h"

/// A word that threads share, on a line of its own.
struct percolate_word_line {
    uint64_t word;
    char padding[56];
};

/// What C, assembly and observers read of a heap, and its words that need lines of their own. The
/// core's state begins with it, and goes on with what only the core knows (Sources/Core).
struct percolate_heap {
    /// First: sections find its fields by the address of the whole.
    struct percolate_front front;
    uint64_t padding[3];
    /// Words of locks, and those that the scavenger sleeps on: until there is work, and until it is
    /// to end.
    struct percolate_word_line start_lock, arena_lock, growth_lock, counting_lock, sampling_lock;
    struct percolate_word_line scavenger_sleep, scavenger_stop;
    struct percolate_observed_heap observed;
    struct percolate_samples samples;
    struct percolate_debugger_view debugger;
};

/// Bytes of the core's state, of the region for emergencies behind it, and of the list of mappings
/// for emergencies at the end, in whole pages.
#define PERCOLATE_STATE_SIZE 32768
#define PERCOLATE_EMERGENCY_SIZE 262144
#define PERCOLATE_EMERGENCY_SLOTS_SIZE 4096
#define PERCOLATE_EMERGENCY_MEMORY (PERCOLATE_EMERGENCY_SIZE + PERCOLATE_EMERGENCY_SLOTS_SIZE)
#define PERCOLATE_HEAP_SIZE (PERCOLATE_STATE_SIZE + PERCOLATE_EMERGENCY_MEMORY)

union percolate_heap_memory {
    struct percolate_heap heap;
    char bytes[PERCOLATE_HEAP_SIZE];
};

extern union percolate_heap_memory percolate_process_heap PERCOLATE_HIDDEN PERCOLATE_SHARED;

/// The heap that the calling thread is bound to. Only the hosted core looks.
extern __thread union percolate_heap_memory *percolate_bound_heap
    __attribute__((tls_model("initial-exec"))) PERCOLATE_HIDDEN;

static inline uintptr_t percolate_bound_heap_address(void) {
    return (uintptr_t)percolate_bound_heap;
}

/// Binds the calling thread to the heap at `address`, `PERCOLATE_HEAP_SIZE` bytes. Returns what it
/// was bound to: at first, the process's.
static inline uintptr_t percolate_bind_heap(uintptr_t address) {
    uintptr_t before = (uintptr_t)percolate_bound_heap;
    percolate_bound_heap = (union percolate_heap_memory *)address;
    return before;
}

_Static_assert(sizeof(struct percolate_word_line) == 64, "a line");
_Static_assert(offsetof(struct percolate_heap, front) == 0, "sections");
_Static_assert(offsetof(struct percolate_heap, start_lock) == 128, "lines");
#endif
