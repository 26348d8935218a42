#ifndef PERCOLATE_PROBES_H
#define PERCOLATE_PROBES_H

/// Statically defined tracepoints, provider `percolate`: what perf, bpftrace, SystemTap and gdb can
/// attach to.
///
/// Every probe has a semaphore that a tracer raises while it listens. A site first asks
/// `percolate_NAME_is_traced`, a load and a compare; arguments are computed and clocks are read
/// only when the answer is yes. No site is in a fast path.
///
/// `probes.S` has the functions, the semaphores and the notes that tracers read: its list of
/// arguments follows this one.

#include "aborted.h"

#include <stdint.h>

#define PERCOLATE_PROBE(name, ...)                                                                                     \
    extern unsigned short percolate_##name##_semaphore __attribute__((visibility("hidden")));                          \
    static inline int percolate_##name##_is_traced(void) {                                                             \
        return *(volatile unsigned short *)&percolate_##name##_semaphore != 0;                                         \
    }                                                                                                                  \
    void percolate_trace_##name(__VA_ARGS__) __attribute__((visibility("hidden")))

/// A vector of `count` operations begins: one of `cpu_opv` that has passed its checks (`origin` 0),
/// or one of the allocator that runs behind a closed gate (1). The allocator's vectors that run as
/// one section are `move` events.
PERCOLATE_PROBE(vec_begin, uint64_t vector, int count, int cpu, int origin);

/// An operation of a vector has run behind a closed gate. `first` is dst, a or p; `second` is src,
/// b, the count, the mask or the bits. `outcome` is 1 when the vector goes on, 0 when a compare
/// stopped it, -1 when an operand that expected it faulted. `value` is what a copy of 1, 2, 4 or 8
/// bytes, or arithmetic, has stored. Some tracers read no more than the first six arguments.
PERCOLATE_PROBE(op, int index, int op, uint32_t len, uint64_t first, uint64_t second, int outcome, int cpu, uint64_t value);

/// The thread's vector has ended with `result` as `cpu_opv` returns it, or a negative errno, after
/// so many nanoseconds.
PERCOLATE_PROBE(vec_end, int cpu, long result, uint64_t nanoseconds);

/// Refill and drain ran a move vector as one section: `count` pointers, and the header at `header`
/// committed.
PERCOLATE_PROBE(move, int index, uint64_t header, uint64_t count);

/// The gate at `gate` of CPU or concurrency id `index` was closed: from the same CPU (`how` 0) or
/// by a fence (1), which took so many nanoseconds.
PERCOLATE_PROBE(gate_close, int index, uint64_t gate, int how, uint64_t nanoseconds);
PERCOLATE_PROBE(gate_open, int index, uint64_t gate);

/// A `percpu_*` operation was not committed by its sequence and is done by a vector. `reason`: 0
/// interrupted, 1 the thread is on another CPU, 2 it is not registered, 3 the gate is closed.
PERCOLATE_PROBE(percpu_fallback, int cpu, uint64_t address, int reason);

/// A section of the allocator was aborted, and its thread goes on in the slow path. `section`: what
/// it was to do, PERCOLATE_ABORTED_*. `cpu` is the one that the thread runs on now.
PERCOLATE_PROBE(section_abort, int section, int cpu);

/// The same, for the abort handlers.
void percolate_announce_section_abort(int section) __attribute__((visibility("hidden")));

/// `count` blocks of `block_size` bytes each were taken from spans for the cache of `index`, or
/// moved out of it.
PERCOLATE_PROBE(refill, int index, uint64_t block_size, uint64_t count);
PERCOLATE_PROBE(drain, int index, uint64_t block_size, uint64_t count);

/// A thread at `index` has emptied the cache of the idle `victim` of `count` blocks; drain events
/// say of which sizes.
PERCOLATE_PROBE(steal, int index, int victim, uint64_t count);

/// Pages taken from the arena and given back to it, for blocks of `block_size` bytes. 0: they are,
/// or were, of one large block.
PERCOLATE_PROBE(span_allocate, uint64_t address, uint64_t pages, uint64_t block_size);
PERCOLATE_PROBE(span_free, uint64_t address, uint64_t pages, uint64_t block_size);

/// Memory given back to the system; its addresses stay with the arena.
PERCOLATE_PROBE(release, uint64_t address, uint64_t bytes);

/// Nanoseconds of the monotonic clock.
uint64_t percolate_nanoseconds(void) __attribute__((visibility("hidden")));

#endif
