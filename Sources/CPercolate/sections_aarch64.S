// The sections of `percolate/sections.h`, and what abort handlers call.
#if defined(__aarch64__)
#include "percolate/section.h"

    .text

// x0 = move. The caller computed the addresses, so nothing but the acquire keeps the loads of the
// header and of what is copied behind the load of the gate.
    .p2align 4
    .hidden percolate_section_move
    FUNCTION percolate_section_move
    .cfi_startproc
    PERCOLATE_DESCRIPTOR move, .Lmove_aborted, PERCOLATE_ABORTED_MOVE
    PERCOLATE_EXIT move, .Lmove_elsewhere
    PERCOLATE_EXIT move, .Lmove_gate
    PERCOLATE_EXIT move, .Lmove_differs
    ldp x8, x14, [x0, #MOVE_GATE]
    ldp x9, x15, [x0, #MOVE_HEADER]
    ldp x12, x10, [x0, #MOVE_REPLACEMENT]
    ldp x11, x1, [x0, #MOVE_SOURCE]
    ldp x2, x3, [x0, #MOVE_INDEX]
    ldr x16, [x0, #MOVE_RSEQ_CS]
    mrs x13, tpidr_el0
    adrp x17, .Lmove_cs
    add x17, x17, :lo12:.Lmove_cs
    str x17, [x13, x16]
.Lmove_start:
    ldrsw x17, [x13, x3]
    cmp x17, x2
    b.ne .Lmove_elsewhere
    ldar x17, [x8]
    cmp x17, x14
    b.ne .Lmove_gate
    ldr x17, [x9]
    cmp x17, x15
    b.ne .Lmove_differs
    tbz x1, #0, .Lmove_pairs
    sub x1, x1, #1
    ldr x16, [x11, x1, lsl #3]
    str x16, [x10, x1, lsl #3]
.Lmove_pairs:
    cbz x1, .Lmove_commit
.Lmove_copy:
    ldp x16, x17, [x11], #16
    stp x16, x17, [x10], #16
    subs x1, x1, #2
    b.ne .Lmove_copy
.Lmove_commit:
    PERCOLATE_WIDEN
    str x12, [x9]
.Lmove_end:
    mov w0, #0
    ret
.Lmove_differs:
    mov w0, #1
    ret
.Lmove_gate:
    mov w0, #2
    ret
.Lmove_elsewhere:
    mov w0, #3
    ret
.Lmove_aborted:
    mov w0, #-1
    ret
    END percolate_section_move

// x0 = gate, x1 = value, x2 = index, x3 = index_offset, x4 = rseq_cs. The store waits for the
// comparison: no processor stores on a path that it may have to leave. What the caller loads
// afterwards may be loaded before others see the gate closed, but not before an interruption: and
// only by one could another thread get to the slab.
    .p2align 4
    .hidden percolate_section_close
    FUNCTION percolate_section_close
    .cfi_startproc
    PERCOLATE_DESCRIPTOR close, .Lclose_aborted, PERCOLATE_ABORTED_CLOSE
    PERCOLATE_EXIT close, .Lclose_elsewhere
    mrs x13, tpidr_el0
    adrp x17, .Lclose_cs
    add x17, x17, :lo12:.Lclose_cs
    str x17, [x13, x4]
.Lclose_start:
    ldrsw x17, [x13, x3]
    cmp x17, x2
    b.ne .Lclose_elsewhere
    str x1, [x0]
.Lclose_end:
    mov w0, #0
    ret
.Lclose_elsewhere:
    mov w0, #3
    ret
.Lclose_aborted:
    mov w0, #-1
    ret
    END percolate_section_close

// Says to tracers that a section was aborted; w16: which. Keeps what the entry points' slow paths
// still need, their arguments: x0 and x1.
    .p2align 4
    .hidden percolate_announce_abort
    FUNCTION percolate_announce_abort
    .cfi_startproc
    stp x29, x30, [sp, #-32]!
    .cfi_adjust_cfa_offset 32
    .cfi_offset x29, -32
    .cfi_offset x30, -24
    mov x29, sp
    stp x0, x1, [sp, #16]
    mov w0, w16
    bl percolate_announce_section_abort
    ldp x0, x1, [sp, #16]
    ldp x29, x30, [sp], #32
    .cfi_adjust_cfa_offset -32
    .cfi_restore x29
    .cfi_restore x30
    ret
    END percolate_announce_abort
#endif
    .section .note.GNU-stack, "", @progbits
