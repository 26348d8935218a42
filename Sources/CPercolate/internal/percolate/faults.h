/// Faults at guarded blocks: one handler of SIGSEGV, in front of whatever handler the program has.
#ifndef PERCOLATE_FAULTS_H
#define PERCOLATE_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "layout.h"

/// Looks at a fault: the address, whether it was a write, and the registers that a stack is walked
/// from. Returns where the fault is none of a guarded block.
typedef void (*percolate_fault_observer)(
    uintptr_t address, bool is_write, uintptr_t code, uintptr_t stack, uintptr_t frame_pointer);

/// Has `observer` look at every SIGSEGV from here on, and passes what it returns from on to what
/// was there before. Once in a process. By raw system calls (rt_sigaction(2)), past whoever wraps
/// sigaction(3). A handler that the program sets later takes the place of this one.
void percolate_watch_faults(percolate_fault_observer observer) PERCOLATE_HIDDEN;
#endif
