/// Restartable sequences as assembler macros. Here stands what each section does, once for all
/// architectures, and what they share; `section_ARCHITECTURE.h` has the instructions.
///
/// A section is: arm (store the descriptor's address into the thread's `rseq_cs`), start label,
/// loads, one committing store, end label. The kernel moves a thread that it preempts, migrates or
/// signals between start and end to the abort handler. The macros use only registers that a call
/// may change, never the stack, so the abort handler has the arguments of the call as they came.
///
/// PERCOLATE_POP name, index, empty, slow: gives a free block of a class from this CPU's cache, or
/// leaves for \empty or the abort handler, which goes to \slow.
///
///     slab = gates[index]; header = slab.headers[class]
///     if header.current == header.begin: leave (also so when the gate is closed: the closed slab is all zero)
///     result = slab.words[header.current - 1]
///     header.current -= 1                                  // commit
///
/// PERCOLATE_POP_SAMPLED name, index, empty, slow, expired: the same while blocks are sampled, with
///
///     header.current -= 1, header.countdown -= 1           // commit, in one store
///     if header.countdown < 0: leave for \expired          // the block is the caller's
///
/// PERCOLATE_PUSH name, index, full, slow, top=1: gives a block of a class to this CPU's cache, or
/// leaves for \full or the abort handler, which goes to \slow. \top says whether the block freed
/// last is looked at: not where the caller knows that the block is not free.
///
///     slab = gates[index]; header = slab.headers[class]
///     if header.current == header.end: leave (also so when the gate is closed, and for class 0, which has no room)
///     if slab.words[header.current - 1] == block: leave    // freed twice in a row, or a false alarm: the slow path knows
///     slab.words[header.current] = block                   // dead memory until the commit
///     header.current += 1                                  // commit
///
/// A commit changes the four bytes of `current` and `countdown`, in every section: a load of four
/// bytes behind a store of two would wait for that store to leave the processor's store buffer.
/// `current` neither overflows nor borrows, so the other field is left alone.
///
/// Why plain loads and stores are enough where memory is weakly ordered (the model is
/// Tests/Model/weak_gate.pml):
///
/// - Every address that a pop or a push uses is computed from the gate's value, and a processor
///   does not load from an address before it has computed it. The gate is opened by a
///   store-release, so a thread that sees it open sees what the holder stored.
/// - The stores of a section need no order among each other. On the same CPU its threads follow
///   each other through the kernel, and one processor sees its own stores in program order; a
///   concurrency id goes from one CPU to another through a full barrier in the kernel's scheduler.
///   A thread on another CPU closes the gate before it looks, and the fence is a barrier on the
///   section's CPU: a section has stored everything before it, or is aborted.
/// - What does not depend on the gate is loaded by chance early or late, and must not matter:
///   `percolate_front` is stored in full before a fence, and its limits, which let sections run,
///   behind it (`Heap.start`). The move vector, whose addresses its caller computed, loads the gate
///   with acquire order.
#ifndef PERCOLATE_SECTION_H
#define PERCOLATE_SECTION_H
#ifdef __ASSEMBLER__

#include "aborted.h"
#include "layout.h"
#include "rseq.h"

// Offsets of struct percolate_move.
#define MOVE_GATE 0
#define MOVE_OPEN 8
#define MOVE_HEADER 16
#define MOVE_EXPECTED 24
#define MOVE_REPLACEMENT 32
#define MOVE_TARGET 40
#define MOVE_SOURCE 48
#define MOVE_COUNT 56
#define MOVE_INDEX 64
#define MOVE_INDEX_OFFSET 72
#define MOVE_RSEQ_CS 80

// The arrays are for debuggers, nothing refers to them: "R" makes the linker keep them. The
// descriptor is kept by its pointer.

// The data of section \name, which lies between .L\name\()_start and .L\name\()_end; its abort
// handler is .L\name\()_abort.
.macro PERCOLATE_DESCRIPTOR_DATA name
    .pushsection __rseq_cs, "aw", @progbits
    .balign 32
.L\name\()_cs:
    .long 0, 0
    .quad .L\name\()_start, .L\name\()_end - .L\name\()_start, .L\name\()_abort
    .popsection
    .pushsection __rseq_cs_ptr_array, "awR", @progbits
    .quad .L\name\()_cs
    .popsection
.endm

// Says to debuggers and instrumentation that section \name can be left for \target.
.macro PERCOLATE_EXIT name, target
    .pushsection __rseq_exit_point_array, "awR", @progbits
    .quad .L\name\()_start, \target
    .popsection
.endm

#if defined(__x86_64__)
#include "section_x86_64.h"
#elif defined(__aarch64__)
#include "section_aarch64.h"
#else
#error "no restartable sequences for this architecture"
#endif

.macro FUNCTION name
    .globl \name
    .type \name, @function
\name:
.endm

.macro ENTRY name
    .p2align PERCOLATE_ENTRY_ALIGNMENT
    FUNCTION \name
    .cfi_startproc
.endm

.macro END name
    .cfi_endproc
    .size \name, . - \name
.endm

#endif
#endif
