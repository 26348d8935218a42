/// What start-up needs to know of the process before libc has told anybody.
#ifndef PERCOLATE_PROCESS_H
#define PERCOLATE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layout.h"

/// The value of the environment variable PERCOLATE_OPTIONS, or NULL. Works before libc's own start-up: from the process's
/// initial stack.
const char *percolate_options_text(void) PERCOLATE_HIDDEN;

/// The value of any environment variable, in the same way.
const char *percolate_environment_value(const char *name) PERCOLATE_HIDDEN;

/// Options that another variable sets, as PERCOLATE_OPTIONS is written, and what that one says
/// without a counterpart here. NULL or empty where there are none, as in every program but the
/// shared object. The first is called once, at start.
const char *percolate_preset_options(void) PERCOLATE_HIDDEN;
const char *percolate_unserved_options(void) PERCOLATE_HIDDEN;

/// The value of an entry of the auxiliary vector (getauxval(3)), 0 where there is none.
static inline unsigned long percolate_auxiliary(unsigned long type) {
    extern unsigned long getauxval(unsigned long);
    return getauxval(type);
}

/// Random bits that the kernel gave this process (AT_RANDOM).
uint64_t percolate_random(void) PERCOLATE_HIDDEN;

/// The program's name without its folder.
const char *percolate_program_name(void) PERCOLATE_HIDDEN;

/// Bytes of memory of the machine (sysinfo(2)).
int64_t percolate_memory_bytes(void) PERCOLATE_HIDDEN;

/// Addresses of the words of the locks of start-up, of the arena and of counting, each on a line of its own.
uintptr_t percolate_start_lock_address(void) PERCOLATE_HIDDEN;
uintptr_t percolate_arena_lock_address(void) PERCOLATE_HIDDEN;
uintptr_t percolate_counting_lock_address(void) PERCOLATE_HIDDEN;

/// Addresses of the words that the scavenger sleeps on, until there is work and until it is to end, each on a line of its own.
uintptr_t percolate_scavenger_rest_address(void) PERCOLATE_HIDDEN;
uintptr_t percolate_scavenger_stop_address(void) PERCOLATE_HIDDEN;

/// Whether the caller is to make the scavenger: true once in a process, and in its first thread, which is where a program makes the first
/// thread of its own.
bool percolate_scavenger_claim(void) PERCOLATE_HIDDEN;

/// The process makes no scavenger from here on, if it has made one: whether it has.
bool percolate_scavenger_retire(void) PERCOLATE_HIDDEN;

/// Whether the process has made a scavenger that has not retired; and after that one has ended,
/// another may be claimed.
bool percolate_scavenger_is_claimed(void) PERCOLATE_HIDDEN;
void percolate_scavenger_allow_claim(void) PERCOLATE_HIDDEN;

/// Registers the fork handlers (pthread_atfork(3)), once: further calls do nothing.
///
/// Called at the end of start-up, so as early as the process allows: handlers registered first run last before fork, when
/// handlers of other libraries have done their waiting for threads that may allocate, and first after it.
void percolate_register_fork_handlers(void (*prepare)(void), void (*parent)(void), void (*child)(void)) PERCOLATE_HIDDEN;

/// Around fork, where the shared object sees it: the calling thread is inside libc's fork, which has locks of its own.
void percolate_enter_fork(void) PERCOLATE_HIDDEN;
void percolate_leave_fork(void) PERCOLATE_HIDDEN;
bool percolate_is_inside_fork(void) PERCOLATE_HIDDEN;

/// In the fork handlers, before the first lock is taken and before one is released. Whether no other fork of the calling thread, that a signal
/// handler of it interrupted, is between its handlers.
void percolate_begin_nested_fork(void) PERCOLATE_HIDDEN;
bool percolate_end_nested_fork(void) PERCOLATE_HIDDEN;

/// In the child, which may never return to the forks around its own.
void percolate_end_all_forks(void) PERCOLATE_HIDDEN;

/// How often the calling thread has given up waiting for a thread that is inside fork; once more.
unsigned percolate_given_up_waits(void) PERCOLATE_HIDDEN;
void percolate_give_up_wait(void) PERCOLATE_HIDDEN;

/// CPU time of a thread of this process, by its kernel number, in nanoseconds. Negative where the kernel does not say.
int64_t percolate_thread_cpu_time(int thread) PERCOLATE_HIDDEN;

/// Finds what libc has of the following. Before it is called, that reads as where libc is older.
void percolate_look_up_libc(void) PERCOLATE_HIDDEN;

/// libc's own word for whether the process has one thread (`__libc_single_threaded`, glibc 2.32),
/// or a zero.
extern const char *percolate_single_threaded PERCOLATE_HIDDEN PERCOLATE_SHARED;

/// Whether the process has one thread, as far as libc knows. No where it does not say.
static inline int percolate_is_single_threaded(void) { return *percolate_single_threaded; }

/// Whether start-up has run.
extern int percolate_has_started PERCOLATE_HIDDEN PERCOLATE_SHARED;

#define PERCOLATE_EMERGENCY_SIZE 262144
#define PERCOLATE_EMERGENCY_SLOTS 128

/// Address of the emergency region, and of the slots of emergency mappings (three words each). Zero until used.
uintptr_t percolate_emergency_address(void) PERCOLATE_HIDDEN;
uintptr_t percolate_emergency_slots_address(void) PERCOLATE_HIDDEN;

/// Bytes of the heap's own tables that were made usable, in all: adds to them, and where the sum is.
void percolate_add_committed_metadata(uintptr_t bytes) PERCOLATE_HIDDEN;
uintptr_t percolate_committed_metadata_address(void) PERCOLATE_HIDDEN;

/// Whether `malloc` of the process is this heap's. The shared object has a definition of its own.
bool percolate_serves_malloc(void) PERCOLATE_HIDDEN;

/// Resident and mapped bytes of this process (proc(5), statm). False where /proc does not say.
bool percolate_process_memory(uint64_t *resident, uint64_t *mapped) PERCOLATE_HIDDEN;

/// What an error number means, in English; NULL where libc does not say.
const char *percolate_error_text(int error) PERCOLATE_HIDDEN;
#endif
