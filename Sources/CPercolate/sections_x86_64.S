// The sections of `percolate/sections.h`, and what abort handlers call.
#if defined(__x86_64__)
#include "percolate/section.h"

    .text

    .p2align 4
    .globl percolate_section_move
    .hidden percolate_section_move
    .type percolate_section_move, @function
percolate_section_move:
    .cfi_startproc
    PERCOLATE_DESCRIPTOR move, .Lmove_aborted, PERCOLATE_ABORTED_MOVE
    PERCOLATE_EXIT move, .Lmove_elsewhere
    PERCOLATE_EXIT move, .Lmove_gate
    PERCOLATE_EXIT move, .Lmove_differs
    movq MOVE_GATE(%rdi), %r8
    movq MOVE_HEADER(%rdi), %r9
    movq MOVE_TARGET(%rdi), %r10
    movq MOVE_SOURCE(%rdi), %rsi
    movq MOVE_REPLACEMENT(%rdi), %r11
    movq MOVE_RSEQ_CS(%rdi), %rdx
    leaq .Lmove_cs(%rip), %rcx
    movq %rcx, %fs:(%rdx)
.Lmove_start:
    movq MOVE_INDEX_OFFSET(%rdi), %rcx
    movslq %fs:(%rcx), %rcx
    cmpq MOVE_INDEX(%rdi), %rcx
    jne .Lmove_elsewhere
    movq (%r8), %rcx
    cmpq MOVE_OPEN(%rdi), %rcx
    jne .Lmove_gate
    movq (%r9), %rcx
    cmpq MOVE_EXPECTED(%rdi), %rcx
    jne .Lmove_differs
    movq MOVE_COUNT(%rdi), %rcx
    testb $1, %cl
    jz .Lmove_pairs
    movq -8(%rsi,%rcx,8), %rax
    movq %rax, -8(%r10,%rcx,8)
    decq %rcx
.Lmove_pairs:
    testq %rcx, %rcx
    jz .Lmove_commit
.Lmove_copy:
    movups -16(%rsi,%rcx,8), %xmm0
    movups %xmm0, -16(%r10,%rcx,8)
    subq $2, %rcx
    jnz .Lmove_copy
.Lmove_commit:
    PERCOLATE_WIDEN
    movq %r11, (%r9)
.Lmove_end:
    xorl %eax, %eax
    ret
.Lmove_differs:
    movl $1, %eax
    ret
.Lmove_gate:
    movl $2, %eax
    ret
.Lmove_elsewhere:
    movl $3, %eax
    ret
.Lmove_aborted:
    movl $-1, %eax
    ret
    .cfi_endproc
    .size percolate_section_move, . - percolate_section_move

    .p2align 4
    .globl percolate_section_close
    .hidden percolate_section_close
    .type percolate_section_close, @function
percolate_section_close:
    .cfi_startproc
    PERCOLATE_DESCRIPTOR close, .Lclose_aborted, PERCOLATE_ABORTED_CLOSE
    PERCOLATE_EXIT close, .Lclose_elsewhere
    leaq .Lclose_cs(%rip), %rax
    movq %rax, %fs:(%r8)
.Lclose_start:
    movslq %fs:(%rcx), %rax
    cmpq %rdx, %rax
    jne .Lclose_elsewhere
    movq %rsi, (%rdi)
.Lclose_end:
    xorl %eax, %eax
    ret
.Lclose_elsewhere:
    movl $3, %eax
    ret
.Lclose_aborted:
    movl $-1, %eax
    ret
    .cfi_endproc
    .size percolate_section_close, . - percolate_section_close

// Says to tracers that a section was aborted; eax: which. Keeps what the entry points' slow paths
// still need, their arguments: rdi, rsi, r10, r11. Called with the stack as it is at a function's
// first instruction.
    .p2align 4
    .globl percolate_announce_abort
    .hidden percolate_announce_abort
    .type percolate_announce_abort, @function
percolate_announce_abort:
    .cfi_startproc
    .irp kept, rdi, rsi, r10, r11
    pushq %\kept
    .cfi_adjust_cfa_offset 8
    .endr
    movl %eax, %edi
    call percolate_announce_section_abort
    .irp kept, r11, r10, rsi, rdi
    popq %\kept
    .cfi_adjust_cfa_offset -8
    .endr
    ret
    .cfi_endproc
    .size percolate_announce_abort, . - percolate_announce_abort
#endif
    .section .note.GNU-stack, "", @progbits
