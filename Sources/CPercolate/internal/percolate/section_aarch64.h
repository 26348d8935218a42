/// The sections of `section.h` for AArch64: included by it.
///
/// Entry points and sections share these registers. x0 to x2 are the arguments of the call and x8
/// is the product of those of calloc: they stay until the commit; x9 is the page of
/// `percolate_front`, which lies in one page as a whole (its alignment), x11 = tables, x12 = class,
/// x13 = address of the thread's `rseq_cs`, x14 = slab, x15 = address of slab + 8 * class, x16 =
/// block. x10 and x17 are scratch.
#ifndef PERCOLATE_SECTION_AARCH64_H
#define PERCOLATE_SECTION_AARCH64_H

// One line of instructions of most processors.
#define PERCOLATE_ENTRY_ALIGNMENT 6

// Describes section \name, whose abort handler goes to \slow. The handler's signature is an
// instruction that traps. \kind says to tracers what was aborted: PERCOLATE_ABORTED_*.
.macro PERCOLATE_DESCRIPTOR name, slow, kind
    PERCOLATE_DESCRIPTOR_DATA \name
    .pushsection __rseq_failure, "ax", @progbits
    .cfi_startproc
    .inst PERCOLATE_RSEQ_SIGNATURE
.L\name\()_abort:
    adrp x16, percolate_section_abort_semaphore
    ldrh w16, [x16, :lo12:percolate_section_abort_semaphore]
    cbnz w16, .L\name\()_announce
    b \slow
.L\name\()_announce:
    stp x29, x30, [sp, #-16]!
    .cfi_adjust_cfa_offset 16
    .cfi_offset x29, -16
    .cfi_offset x30, -8
    mov x29, sp
    mov w16, #\kind
    bl percolate_announce_abort
    ldp x29, x30, [sp], #16
    .cfi_adjust_cfa_offset -16
    .cfi_restore x29
    .cfi_restore x30
    b \slow
    .cfi_endproc
    .popsection
.endm

// \register = a field of percolate_front, by its page in x9.
.macro PERCOLATE_FRONT_PAGE
    adrp x9, percolate_front
.endm
.macro PERCOLATE_LOAD_FRONT register, field
    ldr \register, [x9, :lo12:percolate_front+\field]
.endm

// x13 = address of rseq_cs; arms section \name. Changes x10.
.macro PERCOLATE_ARM name
    PERCOLATE_LOAD_FRONT x10, PERCOLATE_FRONT_RSEQ_CS
    mrs x13, tpidr_el0
    add x13, x13, x10
    adrp x10, .L\name\()_cs
    add x10, x10, :lo12:.L\name\()_cs
    str x10, [x13]
.L\name\()_start:
.endm

// In test builds only: holds the section open between its loads and its commit, so that a missing
// fence shows.
.macro PERCOLATE_WIDEN
#ifdef PERCOLATE_WIDENED
    mov x17, #PERCOLATE_WIDENED
777:
    subs x17, x17, #1
    b.ne 777b
#endif
.endm

// x14 = slab, x15 = slab + 8 * class, w10 = current and countdown, w17 = the header's \bound, of
// the index in x10. Leaves for \target where current is that bound. Each address depends on the
// gate's value: nothing else keeps these loads in order.
.macro PERCOLATE_LOAD_HEADER bound, target
    add x14, x11, x10, lsl #3
    ldr x14, [x14, #PERCOLATE_TABLE_GATES]
    add x15, x14, x12, lsl #3
    ldr w10, [x15, #PERCOLATE_SLAB_HEADERS]
    ldrh w17, [x15, #PERCOLATE_SLAB_HEADERS+\bound]
    cmp w17, w10, uxth
    b.eq \target
.endm

// x16 = the block on top of the stack.
.macro PERCOLATE_LOAD_TOP
    add x16, x14, w10, uxth #3
    ldur x16, [x16, #-8]
.endm

// pop: x16 = the block.
//
// In: x9, x11, x12. Changes x10, x13 to x17.
.macro PERCOLATE_POP name, index, empty, slow
    PERCOLATE_DESCRIPTOR \name, \slow, PERCOLATE_ABORTED_ALLOCATION
    PERCOLATE_EXIT \name, \empty
    PERCOLATE_ARM \name
    ldursw x10, [x13, #\index]
    PERCOLATE_LOAD_HEADER PERCOLATE_HEADER_BEGIN, \empty
    PERCOLATE_LOAD_TOP
    PERCOLATE_WIDEN
    sub w10, w10, #1
    str w10, [x15, #PERCOLATE_SLAB_HEADERS]
.L\name\()_end:
.endm

// At \expired the carry flag is clear where it was this pop that expired the countdown, x16 =
// block, x14 = slab, x12 = class.
.macro PERCOLATE_POP_SAMPLED name, index, empty, slow, expired
    PERCOLATE_DESCRIPTOR \name, \slow, PERCOLATE_ABORTED_ALLOCATION
    PERCOLATE_EXIT \name, \empty
    PERCOLATE_ARM \name
    ldursw x10, [x13, #\index]
    PERCOLATE_LOAD_HEADER PERCOLATE_HEADER_BEGIN, \empty
    PERCOLATE_LOAD_TOP
    PERCOLATE_WIDEN
    sub w10, w10, #1
    subs w10, w10, #16, lsl #12
    str w10, [x15, #PERCOLATE_SLAB_HEADERS]
.L\name\()_end:
    b.mi \expired
.endm

// In: x9, x11, x12, x0 = block. Changes x10, x13 to x17.
.macro PERCOLATE_PUSH name, index, full, slow, top=1
    PERCOLATE_DESCRIPTOR \name, \slow, PERCOLATE_ABORTED_DEALLOCATION
    PERCOLATE_EXIT \name, \full
    PERCOLATE_ARM \name
    ldursw x10, [x13, #\index]
    PERCOLATE_LOAD_HEADER PERCOLATE_HEADER_END, \full
    add x16, x14, w10, uxth #3
    .if \top
    ldur x17, [x16, #-8]
    cmp x17, x0
    b.eq \full
    .endif
    str x0, [x16]
    PERCOLATE_WIDEN
    add w10, w10, #1
    str w10, [x15, #PERCOLATE_SLAB_HEADERS]
.L\name\()_end:
.endm

// x12 = size class of the size in \size (64-bit register, at most PERCOLATE_SMALL_MAX), x11 =
// tables. Changes x10.
.macro PERCOLATE_SIZE_CLASS size
    add x10, \size, #7
    lsr x10, x10, #3
    PERCOLATE_LOAD_FRONT x11, PERCOLATE_FRONT_TABLES
    ldrb w12, [x11, x10]
.endm

#endif
