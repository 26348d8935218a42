/// The marks of basic hardening (Sources/Core/Arena/Marks.swift) in the entry points for AArch64:
/// included by `entry_aarch64.h`.
#ifndef PERCOLATE_ENTRY_MARKS_AARCH64_H
#define PERCOLATE_ENTRY_MARKS_AARCH64_H

// x14 = address of the mark of \block, of class x12. In: x11 = tables. Changes x15.
.macro FIND_MARK block
    add x14, x11, x12, lsl #3
    add x14, x14, #PERCOLATE_TABLE_MARKS >> 12, lsl #12
    ldr x14, [x14, #PERCOLATE_TABLE_MARKS & 4095]
    lsr x15, \block, x14
    add x14, x15, x14, asr #PERCOLATE_MARK_SHIFT_BITS
.endm

// Marks the block x16, of class x12, as handed out. In: x11 = tables. Changes x10, x14, x15.
.macro MARK_LIVE
    FIND_MARK x16
    add w10, w16, #PERCOLATE_MARK_LIVE
    strb w10, [x14]
.endm

// Leaves for \slow unless the block x0, of class x12, is marked as handed out. x14 = address of its
// mark. In: x11 = tables. Changes x15 to x17.
.macro CHECK_MARK slow
    tst x0, #(1 << PERCOLATE_MARK_ALIGNMENT) - 1
    b.ne \slow
    FIND_MARK x0
    ldrb w16, [x14]
    add w17, w0, #PERCOLATE_MARK_LIVE
    cmp w16, w17, uxtb
    b.ne \slow
.endm

#endif
