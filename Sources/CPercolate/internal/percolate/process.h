/// What start-up needs to know of the process before libc has told anybody.
#ifndef PERCOLATE_PROCESS_H
#define PERCOLATE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heap_state.h"
#include "layout.h"

/// The value of the environment variable PERCOLATE_OPTIONS, or NULL. Works before libc's own
/// start-up: from the process's initial stack.
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

/// Bytes of the kernel's pages, the unit of mappings, protections and memory that is given back
/// (AT_PAGESZ): 4096 on x86-64; a choice of the kernel's build on AArch64, at most 64 KiB.
static inline uintptr_t percolate_system_page(void) {
#if defined(__x86_64__)
    return 4096;
#else
    uintptr_t bytes = percolate_auxiliary(6);
    return bytes ? bytes : 65536;
#endif
}

/// Random bits that the kernel gave this process (AT_RANDOM).
uint64_t percolate_random(void) PERCOLATE_HIDDEN;

/// The program's name without its folder.
const char *percolate_program_name(void) PERCOLATE_HIDDEN;

/// Bytes of memory of the machine (sysinfo(2)).
int64_t percolate_memory_bytes(void) PERCOLATE_HIDDEN;

/// Whether the caller is to make the scavenger: true once in a process, and in its first thread,
/// which is where a program makes the first thread of its own.
bool percolate_scavenger_claim(void) PERCOLATE_HIDDEN;

/// The process makes no scavenger from here on, if it has made one: whether it has.
bool percolate_scavenger_retire(void) PERCOLATE_HIDDEN;

/// Whether the process has made a scavenger that has not retired; and after that one has ended,
/// another may be claimed.
bool percolate_scavenger_is_claimed(void) PERCOLATE_HIDDEN;
void percolate_scavenger_allow_claim(void) PERCOLATE_HIDDEN;

/// Registers the fork handlers (pthread_atfork(3)), once: further calls do nothing.
///
/// Called at the end of start-up, so as early as the process allows: handlers registered first run
/// last before fork, when handlers of other libraries have done their waiting for threads that may
/// allocate, and first after it.
void percolate_register_fork_handlers(void (*prepare)(void), void (*parent)(void), void (*child)(void)) PERCOLATE_HIDDEN;

/// CPU time of a thread of this process, by its kernel number, in nanoseconds. Negative where the
/// kernel does not say.
int64_t percolate_thread_cpu_time(int thread) PERCOLATE_HIDDEN;

/// Whether this process has a thread of that kernel number.
bool percolate_thread_exists(int thread) PERCOLATE_HIDDEN;

/// A number for the calling thread that no other thread of the process has.
uint32_t percolate_new_thread_number(void) PERCOLATE_HIDDEN;

/// A word that holds the id of the process that wrote it, and 0 in a child of it until the child
/// writes it: it lies in memory that the kernel wipes at fork (madvise(2), MADV_WIPEONFORK). An
/// ordinary word, 1, before start-up; an ordinary word where the kernel refuses.
extern uint32_t *percolate_process_mark PERCOLATE_HIDDEN PERCOLATE_SHARED;

/// Whether the kernel does not wipe that word.
bool percolate_mark_is_kept(void) PERCOLATE_HIDDEN;

/// Puts the word into memory that the kernel wipes, where it does, and writes the process's id to
/// it. At start, before a second thread can be here.
void percolate_place_mark(void) PERCOLATE_HIDDEN;

/// Address of the words of the fork gate (Sources/Core/Platform/ForkGate.swift), all zero. Of the
/// process and no heap's: a fork copies all of them.
#define PERCOLATE_FORK_GATE_LINES 65
extern struct percolate_word_line percolate_fork_gate[PERCOLATE_FORK_GATE_LINES] PERCOLATE_HIDDEN;
static inline uintptr_t percolate_fork_gate_address(void) { return (uintptr_t)percolate_fork_gate; }

/// Finds what libc has of the following. Before it is called, that reads as where libc is older.
void percolate_look_up_libc(void) PERCOLATE_HIDDEN;

/// libc's own word for whether the process has one thread (`__libc_single_threaded`, glibc 2.32),
/// or a zero.
extern const char *percolate_single_threaded PERCOLATE_HIDDEN PERCOLATE_SHARED;

/// Whether the process has one thread, as far as libc knows. No where it does not say.
static inline int percolate_is_single_threaded(void) { return *percolate_single_threaded; }

/// Whether the process restricts its own system calls (seccomp(2)): the allocator makes from then
/// on only those that glibc's malloc and pthread_create make. And that it does, or is about to.
int percolate_is_restricted(void) PERCOLATE_HIDDEN;
void percolate_restrict(void) PERCOLATE_HIDDEN;

/// Whether start-up has run.
extern int percolate_has_started PERCOLATE_HIDDEN PERCOLATE_SHARED;

/// Whether `malloc` of the process is this heap's. The shared object has a definition of its own.
bool percolate_serves_malloc(void) PERCOLATE_HIDDEN;

/// Resident and mapped bytes of this process (proc(5), statm). False where /proc does not say.
bool percolate_process_memory(uint64_t *resident, uint64_t *mapped) PERCOLATE_HIDDEN;

/// What an error number means, in English; NULL where libc does not say.
const char *percolate_error_text(int error) PERCOLATE_HIDDEN;

/// Notes where the program break (brk(2)) is before libc's malloc has moved it.
void percolate_note_program_break(void) PERCOLATE_HIDDEN;

/// Whether an address is in memory that the program break was moved for since then, which is what
/// libc's malloc does.
bool percolate_is_in_libc_heap(uintptr_t address) PERCOLATE_HIDDEN;
#endif
