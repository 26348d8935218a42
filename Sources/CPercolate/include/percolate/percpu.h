#ifndef PERCOLATE_PERCPU_H
#define PERCOLATE_PERCPU_H

/// Per-CPU data for C: memory with a part for each CPU, and structures that many threads use at
/// once without atomic operations.
///
/// - <percolate/percpu_pool.h>: per-CPU memory, by size or by type
/// - <percolate/percpu_counter.h>: counters
/// - <percolate/percpu_lifo.h>: lists, last in first out
/// - <percolate/percpu_ring.h>: rings of pointers, first in first out
/// - <percolate/percpu_bytes.h>: rings of records of bytes
/// - <percolate/percpu_epoch.h>: readers that never wait, writers that wait for them
///
/// Each operation is a restartable sequence on the data of the CPU that the thread runs on, or a
/// vector where the sequence does not commit. Its remote form, whose name ends in `_on`, is a
/// vector for the data of the index that it is given, one below `percpu_count()`. For structures of
/// your own, <percolate/percpu_ops.h> has the operations.
///
///     cc program.c $(pkg-config --cflags --libs percolate)

#include <percolate/percpu_bytes.h>
#include <percolate/percpu_counter.h>
#include <percolate/percpu_epoch.h>
#include <percolate/percpu_lifo.h>
#include <percolate/percpu_pool.h>
#include <percolate/percpu_ring.h>

#endif
