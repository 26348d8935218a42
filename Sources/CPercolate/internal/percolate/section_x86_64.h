/// The sections of `section.h` for x86-64: included by it.
#ifndef PERCOLATE_SECTION_X86_64_H
#define PERCOLATE_SECTION_X86_64_H

#define PERCOLATE_ENTRY_ALIGNMENT 5

// Describes section \name, whose abort handler jumps to \slow. The handler's signature is the
// displacement of a `ud1`, so disassemblers stay in step and running it traps. \kind says to
// tracers what was aborted: PERCOLATE_ABORTED_*.
.macro PERCOLATE_DESCRIPTOR name, slow, kind
    PERCOLATE_DESCRIPTOR_DATA \name
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

// rdx = offset of rseq_cs; arms section \name. Changes rcx.
.macro PERCOLATE_ARM name
    movq percolate_front+PERCOLATE_FRONT_RSEQ_CS(%rip), %rdx
    leaq .L\name\()_cs(%rip), %rcx
    movq %rcx, %fs:(%rdx)
.L\name\()_start:
.endm

// In test builds only: holds the section open between its loads and its commit, so that a missing
// fence shows.
.macro PERCOLATE_WIDEN
#ifdef PERCOLATE_WIDENED
    movl $PERCOLATE_WIDENED, %edx
777:
    decl %edx
    jnz 777b
#endif
.endm

// pop: rax = the block.
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

// At \expired the carry flag is set where it was this pop that expired the countdown, rax = block,
// rcx = slab. In: r8 = tables, r9 = class. Out: rax = block. Changes rcx, rdx, rsi.
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

// r9 = size class of the size in \size (64-bit register, at most PERCOLATE_SMALL_MAX), r8 = tables.
// Changes rax.
.macro PERCOLATE_SIZE_CLASS size
    leaq 7(\size), %rax
    shrl $3, %eax
    movq percolate_front+PERCOLATE_FRONT_TABLES(%rip), %r8
    movzbl PERCOLATE_TABLE_SIZE_CLASS(%r8,%rax), %r9d
.endm

#endif
