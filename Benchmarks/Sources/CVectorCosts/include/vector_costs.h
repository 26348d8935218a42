/// What is measured of operation vectors and sections, as loops: each function does its operation `count` times on words that
/// no other thread writes, and aborts when one of them does not succeed.
#ifndef VECTOR_COSTS_H
#define VECTOR_COSTS_H

#include <stdbool.h>
#include <stdint.h>

/// A `lock xadd` on one word.
void cost_of_locked_add(long count);

/// A mutex of the C library taken, one word incremented, the mutex given back.
void cost_of_mutex(long count);

/// The CPU number read, and the calling CPU's word incremented by `rseq_addv`.
void cost_of_section(long count);

/// The CPU number read, and a node pushed to the calling CPU's list or popped from it in turn, by two sections that compare.
void cost_of_list_section(long count);

/// A word of `cpu` incremented by `cpu_op_addv`: every check but the one of the affinity.
void cost_of_checked_add(int cpu, long count);

/// One compare and two stores by `cpu_op_cmpeqv_storev_storev`.
void cost_of_checked_stores(int cpu, long count);

/// A word of `cpu` incremented by `cpu_opv`, which also checks the affinity.
void cost_of_strict_add(int cpu, long count);

/// membarrier(2) for the sections of the threads on `cpu`, and nothing else.
void cost_of_fence(int cpu, long count);

/// Makes the calling thread run on `cpu` only. False when the kernel refuses.
bool stay_on(int cpu);

/// The CPUs that the calling thread may run on, in order: at most `room` of them are stored, all are counted.
int allowed_cpus(int *cpus, int room);

/// Starts the thread that stands for the rest of the process: on `cpu`, asleep. False when it cannot be started there.
bool start_other_thread(int cpu);

/// Lets the other thread run sections of its CPU without end, or sleep. Returns when it does.
void keep_other_thread_busy(bool busy);

/// Whether the other thread runs now, and not another process in its place: waits that long for a sign of it.
bool other_thread_runs(uint64_t nanoseconds);

#endif
