/// Longer time slices for the holders of locks: the scheduler's time slice extension (Linux 7.0;
/// the kernel's Documentation/userspace-api/rseq.rst).
///
/// A thread that is preempted while it holds a lock makes all others wait until it runs again. So
/// it sets `slice_request` in its rseq area around the hold. A kernel that wants to preempt it then
/// may clear the request, set `slice_granted` and let it go on for some microseconds. At the end of
/// the hold the thread takes the request back, and gives the CPU up where it was granted. It is a
/// hint: nothing relies on it.
///
/// - *Nesting.* The thread counts its holds, and only the outermost one asks and gives up: a lock
///   inside another one's hold, or the locks of a signal handler that interrupted a holder, end
///   nothing. A count that begins too late, since the extension was turned on inside a hold, ends
///   at 0 and not below. A holder that left by a jump is forgotten with its locks (`Recovery`);
///   until then its request can be granted once.
/// - *System calls.* Any call but rseq_slice_yield(2) gives the rest of a granted slice up. A
///   kernel that was booted with `rseq_debug` may end a process that makes one while a request
///   stands. So `percolate_system_call` takes the request back, and asks anew for the rest of the
///   hold.
/// - *Preemption.* The kernel clears request and grant. Then the thread has a new slice, and the
///   hold goes on without asking again.
/// - *Other threads.* The kernel writes into each thread's area what it offers. A new thread asks
///   the kernel once (prctl(2), PR_RSEQ_SLICE_EXTENSION) at its first hold. A child of fork has
///   what its parent's thread had. A vfork child is not registered, and what it writes into the
///   area of its parent, which sleeps, it takes back. An area that is not registered says so in
///   `cpu_id`.
/// - *Filters.* A process that restricts its system calls asks for nothing more, and gives nothing
///   up by a call: the kernel's timer ends what was granted.
#ifndef PERCOLATE_TIME_SLICE_H
#define PERCOLATE_TIME_SLICE_H

#include <stdbool.h>
#include <stdint.h>

#include "layout.h"
#include "rseq.h"
#include "syscalls.h"
#include "visit.h"

/// Offset of the calling thread's rseq area from its thread pointer where holders of locks ask for
/// a longer time slice; else 0.
extern intptr_t percolate_slice_area PERCOLATE_HIDDEN PERCOLATE_SHARED;

/// Slices that were extended, as far as the thread saw it at the end of the hold or at a call
/// within, and those of them that it gave up in time by rseq_slice_yield(2).
extern uint64_t percolate_slices_extended PERCOLATE_HIDDEN PERCOLATE_SHARED;
extern uint64_t percolate_slices_yielded PERCOLATE_HIDDEN PERCOLATE_SHARED;

/// Turns longer slices on for the process where the kernel offers them to the calling thread, and
/// does not refuse. Whether they are on. Makes no system call where they are not offered.
///
/// - Parameter offset: of the thread's area from its thread pointer.
/// - Parameter size: bytes of it that were registered and that the kernel knows.
/// - Parameter despite_filter: also where a filter decides which system calls the process makes.
bool percolate_start_slices(intptr_t offset, uint32_t size, bool despite_filter) PERCOLATE_HIDDEN;

/// The beginning and the end of a hold of `thread`, whose rseq area is `area`.
void percolate_begin_hold_in(struct percolate_thread *thread, struct percolate_rseq_area *area) PERCOLATE_HIDDEN;
void percolate_end_hold_in(struct percolate_thread *thread, struct percolate_rseq_area *area) PERCOLATE_HIDDEN;

/// The same of the calling thread.
void percolate_begin_own_hold(void) PERCOLATE_HIDDEN;
void percolate_end_own_hold(void) PERCOLATE_HIDDEN;

/// The calling thread holds no lock any more.
void percolate_forget_holds(void) PERCOLATE_HIDDEN;

/// Before a lock is taken, and after it is released: nothing but a test of a word where longer
/// slices are off.
static inline void percolate_begin_hold(void) {
    if (__builtin_expect(percolate_slice_area != 0, 0)) percolate_begin_own_hold();
}

static inline void percolate_end_hold(void) {
    if (__builtin_expect(percolate_slice_area != 0, 0)) percolate_end_own_hold();
}
#endif
