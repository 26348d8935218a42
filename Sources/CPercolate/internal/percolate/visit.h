/// What the allocator knows of a thread: whether it is inside, and since which frame of its stack.
///
/// The argument is beside the code that uses it: Sources/Core/Platform/Visit.swift.
#ifndef PERCOLATE_VISIT_H
#define PERCOLATE_VISIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layout.h"

/// One call of an entry point, on the stack of that call for as long as it lasts.
struct percolate_visit {
    /// Values that only this visit has. They say that nobody else uses its memory yet.
    uint64_t marks[2];
    /// The visit that was the thread's latest nested one before; for nested visits.
    struct percolate_visit *outer;
    bool is_nested;
};

/// A thread's own record. Signal handlers of the thread read and write it as well.
struct percolate_thread {
    /// The kernel's number of the thread, 0 until it is asked for.
    uint32_t number;
    /// 1 more than the slot of the fork gate that says that the thread is inside; 0 for none.
    uint32_t slot;
    /// The visit of the call that came from outside the allocator; NULL while the thread is
    /// outside.
    struct percolate_visit *outermost;
    /// The latest visit of a signal handler that interrupted that call; NULL for none.
    struct percolate_visit *nested;
    /// First of a chain of empty spans, and of a chain of deferred frees, that the call has in
    /// hand.
    uint32_t spans;
    uintptr_t frees;
    /// The thread's name as the kernel had it, and how often samples asked for it (modulo 256).
    char name[16];
    uint8_t asked;
    /// Whether the kernel refused the thread longer time slices, and the locks that it holds, as
    /// far as they were counted (`time_slice.h`).
    bool is_refused_slices;
    uint32_t holds;
};

extern __thread struct percolate_thread percolate_thread_record
    __attribute__((tls_model("initial-exec"))) PERCOLATE_HIDDEN;

/// The calling thread's record.
static inline struct percolate_thread *percolate_this_thread(void) { return &percolate_thread_record; }

/// Asks the kernel for the calling thread's number, and keeps it.
uint32_t percolate_find_thread_number(void) PERCOLATE_HIDDEN;

/// The calling thread's number.
static inline uint32_t percolate_thread_number(void) {
    uint32_t number = percolate_thread_record.number;
    return number != 0 ? number : percolate_find_thread_number();
}

/// The name of the calling thread into 16 bytes (prctl(2), PR_GET_NAME). The kernel is asked the
/// first few times and for every 16th sample: a thread that names itself late has its old name in
/// the samples between. A system call would be a third of a sample's time.
void percolate_thread_name(char *name) PERCOLATE_HIDDEN;

/// Repairs what the lock at that address guards, after its owner died inside. The caller holds the
/// lock. Defined by the core.
void percolate_repair_lock(uintptr_t lock) PERCOLATE_HIDDEN;

/// Makes the calling process, a child whose fork ran no handlers, a process of its own. Defined by
/// the core.
void percolate_adopt_child(void) PERCOLATE_HIDDEN;

/// Frees the locks of the calling thread, none of which it is inside of, and gives back what it had
/// in hand. Defined by the core.
void percolate_recover_thread(void) PERCOLATE_HIDDEN;

/// Keeps a visit in memory: its address is known elsewhere.
static inline void percolate_keep_visit(struct percolate_visit *visit) {
    __asm__ volatile("" : : "r"(visit) : "memory");
}
#endif
