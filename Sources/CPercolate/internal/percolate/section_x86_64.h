/// Restartable sequences for x86-64, as assembler macros: the one file that knows the shape of a section there.
///
/// A section is: arm (store the descriptor's address into the thread's `rseq_cs`), start label, loads, one committing store,
/// end label. The kernel moves a thread that it preempts, migrates or signals between start and end to the abort handler.
/// Registers: the macros use only registers that a call may change, never the stack, so the abort handler has
/// the arguments of the call as they came.
#ifndef PERCOLATE_SECTION_X86_64_H
#define PERCOLATE_SECTION_X86_64_H
#if defined(__ASSEMBLER__) && defined(__x86_64__)

#include "aborted.h"
#include "layout.h"
#include "rseq.h"

// The arrays are for debuggers, nothing refers to them: "R" makes the linker keep them. The descriptor is kept by its pointer.

// The descriptor of section \name, which lies between .L\name\()_start and .L\name\()_end, and its abort handler, which
// jumps to \slow. The handler's signature is the displacement of a `ud1`, so disassemblers stay in step and running it traps.
// \kind says to tracers what was aborted: PERCOLATE_ABORTED_*.
.macro PERCOLATE_DESCRIPTOR name, slow, kind
    .pushsection __rseq_cs, "aw", @progbits
    .balign 32
.L\name\()_cs:
    .long 0, 0
    .quad .L\name\()_start, .L\name\()_end - .L\name\()_start, .L\name\()_abort
    .popsection
    .pushsection __rseq_cs_ptr_array, "awR", @progbits
    .quad .L\name\()_cs
    .popsection
    .pushsection __rseq_failure, "ax", @progbits
    .cfi_startproc
    .byte 0x0f, 0xb9, 0x3d
    .long PERCOLATE_RSEQ_SIGNATURE
.L\name\()_abort:
    cmpw $0, percolate_section_abort_semaphore(%rip)
    je \slow
    movl $\kind, %eax
    call percolate_announce_abort
    jmp \slow
    .cfi_endproc
    .popsection
.endm

// Says to debuggers and instrumentation that section \name can be left for \target.
.macro PERCOLATE_EXIT name, target
    .pushsection __rseq_exit_point_array, "awR", @progbits
    .quad .L\name\()_start, \target
    .popsection
.endm

// rdx = offset of rseq_cs; arms section \name. Changes rcx.
.macro PERCOLATE_ARM name
    movq percolate_front+PERCOLATE_FRONT_RSEQ_CS(%rip), %rdx
    leaq .L\name\()_cs(%rip), %rcx
    movq %rcx, %fs:(%rdx)
.L\name\()_start:
.endm

// In test builds only: holds the section open between its loads and its commit, so that a missing fence shows.
.macro PERCOLATE_WIDEN
#ifdef PERCOLATE_WIDENED
    movl $PERCOLATE_WIDENED, %edx
777:
    decl %edx
    jnz 777b
#endif
.endm

// A commit changes the four bytes of `current` and `countdown`, in every section: a load of four bytes behind a store of two would
// wait for that store to leave the processor's store buffer. `current` neither overflows nor borrows, so the other field is left alone.

// pop: rax = a free block of class r9 of this CPU, or leaves for \empty or the abort handler, which goes to \slow.
//
//     slab = gates[index]; header = slab.headers[class]
//     if header.current == header.begin: leave (also so when the gate is closed: the closed slab is all zero)
//     result = slab.words[header.current - 1]
//     header.current -= 1                                  // commit
//
// In: r8 = tables, r9 = class. Changes rax, rcx, rdx, rsi.
.macro PERCOLATE_POP name, index, empty, slow
    PERCOLATE_DESCRIPTOR \name, \slow, PERCOLATE_ABORTED_ALLOCATION
    PERCOLATE_EXIT \name, \empty
    PERCOLATE_ARM \name
    movslq %fs:\index(%rdx), %rcx
    movq PERCOLATE_TABLE_GATES(%r8,%rcx,8), %rcx
    movzwl PERCOLATE_SLAB_HEADERS(%rcx,%r9,8), %esi
    cmpw PERCOLATE_SLAB_HEADERS+PERCOLATE_HEADER_BEGIN(%rcx,%r9,8), %si
    je \empty
    movq -8(%rcx,%rsi,8), %rax
    PERCOLATE_WIDEN
    decl PERCOLATE_SLAB_HEADERS(%rcx,%r9,8)
.L\name\()_end:
.endm

// The same while blocks are sampled, with
//
//     header.current -= 1, header.countdown -= 1           // commit, in one store
//     if header.countdown < 0: leave for \expired          // the block is the caller's
//
// At \expired the carry flag is set where it was this pop that expired the countdown, rax = block, rcx = slab. In: r8 = tables, r9 = class.
// Out: rax = block. Changes rcx, rdx, rsi.
.macro PERCOLATE_POP_SAMPLED name, index, empty, slow, expired
    PERCOLATE_DESCRIPTOR \name, \slow, PERCOLATE_ABORTED_ALLOCATION
    PERCOLATE_EXIT \name, \empty
    PERCOLATE_ARM \name
    movslq %fs:\index(%rdx), %rcx
    movq PERCOLATE_TABLE_GATES(%r8,%rcx,8), %rcx
    movzwl PERCOLATE_SLAB_HEADERS(%rcx,%r9,8), %esi
    cmpw PERCOLATE_SLAB_HEADERS+PERCOLATE_HEADER_BEGIN(%rcx,%r9,8), %si
    je \empty
    movq -8(%rcx,%rsi,8), %rax
    PERCOLATE_WIDEN
    subl $0x10001, PERCOLATE_SLAB_HEADERS(%rcx,%r9,8)
.L\name\()_end:
    js \expired
.endm

// push: gives block rdi of class rax to this CPU, or leaves for \full or the abort handler, which goes to \slow.
//
//     slab = gates[index]; header = slab.headers[class]
//     if header.current == header.end: leave (also so when the gate is closed, and for class 0, which has no room)
//     if slab.words[header.current - 1] == block: leave    // freed twice in a row, or a false alarm: the slow path knows
//     slab.words[header.current] = block                   // dead memory until the commit
//     header.current += 1                                  // commit
//
// \top says whether the block freed last is looked at: not where the caller knows that the block is not free.
//
// In: r8 = tables, rax = class, rdi = block. Changes rcx, rdx, rsi.
.macro PERCOLATE_PUSH name, index, full, slow, top=1
    PERCOLATE_DESCRIPTOR \name, \slow, PERCOLATE_ABORTED_DEALLOCATION
    PERCOLATE_EXIT \name, \full
    PERCOLATE_ARM \name
    movslq %fs:\index(%rdx), %rcx
    movq PERCOLATE_TABLE_GATES(%r8,%rcx,8), %rcx
    movzwl PERCOLATE_SLAB_HEADERS(%rcx,%rax,8), %esi
    cmpw PERCOLATE_SLAB_HEADERS+PERCOLATE_HEADER_END(%rcx,%rax,8), %si
    je \full
    .if \top
    cmpq %rdi, -8(%rcx,%rsi,8)
    je \full
    .endif
    movq %rdi, (%rcx,%rsi,8)
    PERCOLATE_WIDEN
    incl PERCOLATE_SLAB_HEADERS(%rcx,%rax,8)
.L\name\()_end:
.endm

// r9 = size class of the size in \size (64-bit register, at most PERCOLATE_SMALL_MAX), r8 = tables. Changes rax.
.macro PERCOLATE_SIZE_CLASS size
    leaq 7(\size), %rax
    shrl $3, %eax
    movq percolate_front+PERCOLATE_FRONT_TABLES(%rip), %r8
    movzbl PERCOLATE_TABLE_SIZE_CLASS(%r8,%rax), %r9d
.endm

#endif
#endif
