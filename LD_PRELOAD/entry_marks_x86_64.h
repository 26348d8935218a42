/// The marks of basic hardening (Sources/Core/Arena/Marks.swift) in the entry points for x86-64:
/// included by `entry_x86_64.h`.
#ifndef PERCOLATE_ENTRY_MARKS_X86_64_H
#define PERCOLATE_ENTRY_MARKS_X86_64_H

// rcx + \number = address of the mark of \block, of the class in \class. In: r8 = tables.
.macro FIND_MARK block, class, number
    movq PERCOLATE_TABLE_MARKS(%r8,\class,8), %rcx
    movq \block, \number
    shrq %cl, \number
    sarq $PERCOLATE_MARK_SHIFT_BITS, %rcx
.endm

// Marks the block rax, of class r9, as handed out. In: r8 = tables. Changes rcx, rdx, rsi.
.macro MARK_LIVE
    FIND_MARK %rax, %r9, %rsi
    leal PERCOLATE_MARK_LIVE(%rax), %edx
    movb %dl, (%rcx,%rsi)
.endm

// Leaves for \slow unless the block rdi, of the class in \class, is marked as handed out. rcx + r9
// = address of its mark. In: r8 = tables. Changes rdx.
.macro CHECK_MARK class, slow
    testb $(1 << PERCOLATE_MARK_ALIGNMENT) - 1, %dil
    jne \slow
    FIND_MARK %rdi, \class, %r9
    leal PERCOLATE_MARK_LIVE(%rdi), %edx
    cmpb %dl, (%rcx,%r9)
    jne \slow
.endm

#endif
