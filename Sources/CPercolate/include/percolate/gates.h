#ifndef PERCOLATE_GATES_H
#define PERCOLATE_GATES_H

/// The public gates: one word per CPU number, which every restartable sequence of
/// <percolate/rseq_ops.h> loads inside the sequence, and which a vector closes while it runs.
///
/// There is one set per process: the symbol has default visibility, so a program's sections and the
/// shared object's vectors use the same words. Only the library writes them.

#include <stdint.h>

/// CPU numbers that have a gate.
#define PERCOLATE_GATES_MAX 8192

/// Values of a gate. All gates are closed until the library has found that closing works.
#define PERCOLATE_GATE_CLOSED 0
#define PERCOLATE_GATE_OPEN 1

#ifdef __cplusplus
extern "C" {
#endif

/// A gate has a cache line of its own: closing it must not slow the sections of its neighbours.
struct percolate_gate {
    uint64_t state;
    /// Held by the thread that runs a vector for this CPU.
    uint64_t lock;
    uint64_t spare[6];
} __attribute__((aligned(64)));

/// The gates of the CPU numbers -2, -1, 0, 1 ...: the kernel writes the first two for a thread that
/// is not registered, and their gates never open.
extern struct percolate_gate percolate_gates[PERCOLATE_GATES_MAX + 2] __attribute__((visibility("default")));

/// The same for concurrency ids, which the kernel gives to the threads of a process that run at the
/// same time (Linux 6.3): no two of them have the same one, and they are as small as they can be.
extern struct percolate_gate percolate_mm_cid_gates[PERCOLATE_GATES_MAX + 2]
    __attribute__((visibility("default")));

#ifdef __cplusplus
}
#endif

#endif
