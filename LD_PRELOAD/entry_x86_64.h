/// The entry points of `entry.S` for x86-64: included by it.
#ifndef PERCOLATE_ENTRY_X86_64_H
#define PERCOLATE_ENTRY_X86_64_H

#include "entry_marks_x86_64.h"

.macro ALLOCATE name, slow, flagged, expired=.Lexpired
    ENTRY \name
    .ifnb \flagged
    testb $PERCOLATE_MALLOCX_SHAPE, %sil
    jne \flagged
    .endif
    cmpq percolate_front+PERCOLATE_FRONT_LIMIT(%rip), %rdi
    jae .L\name\()_twin
    PERCOLATE_SIZE_CLASS %rdi
    PERCOLATE_POP \name, PERCOLATE_RSEQ_CPU_ID, \slow, \slow
    ret
.L\name\()_twin:
    cmpq percolate_front+PERCOLATE_FRONT_LIMIT_MM_CID(%rip), %rdi
    jae .L\name\()_hardened
    PERCOLATE_SIZE_CLASS %rdi
    PERCOLATE_POP \name\()_mm_cid, PERCOLATE_RSEQ_MM_CID, \slow, \slow
    ret
    .p2align 4
.L\name\()_hardened:
    cmpq percolate_front+PERCOLATE_FRONT_LIMIT_MARKED(%rip), %rdi
    jae .L\name\()_sampled_twin
    PERCOLATE_SIZE_CLASS %rdi
    PERCOLATE_POP \name\()_marked, PERCOLATE_RSEQ_CPU_ID, \slow, \slow
    MARK_LIVE
    ret
    .p2align 4
.L\name\()_sampled_twin:
    cmpq percolate_front+PERCOLATE_FRONT_LIMIT_SAMPLED(%rip), %rdi
    jae .L\name\()_sampled_mm_cid_twin
    PERCOLATE_SIZE_CLASS %rdi
    PERCOLATE_POP_SAMPLED \name\()_sampled, PERCOLATE_RSEQ_CPU_ID, \slow, \slow, \expired
    ret
    .p2align 4
.L\name\()_sampled_mm_cid_twin:
    cmpq percolate_front+PERCOLATE_FRONT_LIMIT_SAMPLED_MM_CID(%rip), %rdi
    jae .L\name\()_hardened_twin
    PERCOLATE_SIZE_CLASS %rdi
    PERCOLATE_POP_SAMPLED \name\()_sampled_mm_cid, PERCOLATE_RSEQ_MM_CID, \slow, \slow, \expired
    ret
.L\name\()_hardened_twin:
    cmpq percolate_front+PERCOLATE_FRONT_LIMIT_MARKED_MM_CID(%rip), %rdi
    jae \slow
    PERCOLATE_SIZE_CLASS %rdi
    PERCOLATE_POP \name\()_marked_mm_cid, PERCOLATE_RSEQ_MM_CID, \slow, \slow
    MARK_LIVE
    ret
    END \name
.endm

// Where a sampled twin goes with a block and a countdown that expired. The size is in rdi.
//
//     return target(size, block, slab, class, whether this pop expired it)
.macro EXPIRED target
    setc %r8b
    movzbl %r8b, %r8d
    movq %rax, %rsi
    movq %rcx, %rdx
    movq %r9, %rcx
    jmp \target
.endm

.macro CALLOC
    ENTRY calloc
    movq %rdi, %rax
    movq %rsi, %r11
    mulq %rsi
    jo .Lcalloc_slow
    movq %rax, %r10
    cmpq percolate_front+PERCOLATE_FRONT_LIMIT(%rip), %rax
    jae .Lcalloc_twin
    PERCOLATE_SIZE_CLASS %rax
    PERCOLATE_POP calloc, PERCOLATE_RSEQ_CPU_ID, .Lcalloc_slow, .Lcalloc_slow
.Lcalloc_zero:
    movq %rax, %rdi
    xorl %esi, %esi
    movq %r10, %rdx
    jmp *memset@GOTPCREL(%rip)
.Lcalloc_twin:
    cmpq percolate_front+PERCOLATE_FRONT_LIMIT_MM_CID(%rip), %rax
    jae .Lcalloc_sampled_twin
    PERCOLATE_SIZE_CLASS %rax
    PERCOLATE_POP calloc_mm_cid, PERCOLATE_RSEQ_MM_CID, .Lcalloc_slow, .Lcalloc_slow
    jmp .Lcalloc_zero
.Lcalloc_sampled_twin:
    cmpq percolate_front+PERCOLATE_FRONT_LIMIT_MARKED(%rip), %rax
    jb .Lcalloc_hardened
    cmpq percolate_front+PERCOLATE_FRONT_LIMIT_SAMPLED(%rip), %rax
    jae .Lcalloc_sampled_mm_cid_twin
    PERCOLATE_SIZE_CLASS %rax
    PERCOLATE_POP_SAMPLED calloc_sampled, PERCOLATE_RSEQ_CPU_ID, .Lcalloc_slow, .Lcalloc_slow, .Lcalloc_expired
    jmp .Lcalloc_zero
.Lcalloc_sampled_mm_cid_twin:
    cmpq percolate_front+PERCOLATE_FRONT_LIMIT_SAMPLED_MM_CID(%rip), %rax
    jae .Lcalloc_hardened_twin
    PERCOLATE_SIZE_CLASS %rax
    PERCOLATE_POP_SAMPLED calloc_sampled_mm_cid, PERCOLATE_RSEQ_MM_CID, .Lcalloc_slow, .Lcalloc_slow, .Lcalloc_expired
    jmp .Lcalloc_zero
.Lcalloc_expired:
    movq %r10, %rdi
    EXPIRED percolate_calloc_sampled
.Lcalloc_hardened:
    PERCOLATE_SIZE_CLASS %rax
    PERCOLATE_POP calloc_marked, PERCOLATE_RSEQ_CPU_ID, .Lcalloc_slow, .Lcalloc_slow
    MARK_LIVE
    jmp .Lcalloc_zero
.Lcalloc_hardened_twin:
    cmpq percolate_front+PERCOLATE_FRONT_LIMIT_MARKED_MM_CID(%rip), %rax
    jae .Lcalloc_slow
    PERCOLATE_SIZE_CLASS %rax
    PERCOLATE_POP calloc_marked_mm_cid, PERCOLATE_RSEQ_MM_CID, .Lcalloc_slow, .Lcalloc_slow
    MARK_LIVE
    jmp .Lcalloc_zero
.Lcalloc_slow:
    movq %r11, %rsi
    jmp percolate_calloc_slow
    END calloc
.endm

// rax = the page of block rdi: a number beyond every page for NULL and for what lies below the
// arena.
.macro BLOCK_PAGE
    movq %rdi, %rax
    subq percolate_front+PERCOLATE_FRONT_BASE(%rip), %rax
    shrq $PERCOLATE_PAGE_SHIFT, %rax
.endm

// The push of a block, whose page is rax, that must be marked as handed out; \slow is for one that
// is not.
.macro MARKED_PUSH name, index, slow
    movq percolate_front+PERCOLATE_FRONT_TABLES(%rip), %r8
    movzbl PERCOLATE_TABLE_PAGE_CLASS(%r8,%rax), %eax
    CHECK_MARK %rax, \slow
    movb $PERCOLATE_MARK_FREE, (%rcx,%r9)
    PERCOLATE_PUSH \name, \index, percolate_free_marked_slow, percolate_free_marked_slow, 0
.endm

.macro FREE
    ENTRY free
    BLOCK_PAGE
    cmpq percolate_front+PERCOLATE_FRONT_PAGES(%rip), %rax
    jae .Lfree_twin
    movq percolate_front+PERCOLATE_FRONT_TABLES(%rip), %r8
    movzbl PERCOLATE_TABLE_PAGE_CLASS(%r8,%rax), %eax
    PERCOLATE_PUSH free, PERCOLATE_RSEQ_CPU_ID, percolate_free_slow, percolate_free_slow
    ret
.Lfree_twin:
    cmpq percolate_front+PERCOLATE_FRONT_PAGES_MM_CID(%rip), %rax
    jae .Lfree_hardened
    movq percolate_front+PERCOLATE_FRONT_TABLES(%rip), %r8
    movzbl PERCOLATE_TABLE_PAGE_CLASS(%r8,%rax), %eax
    PERCOLATE_PUSH free_mm_cid, PERCOLATE_RSEQ_MM_CID, percolate_free_slow, percolate_free_slow
    ret
    .p2align 4
.Lfree_hardened:
    cmpq percolate_front+PERCOLATE_FRONT_PAGES_MARKED(%rip), %rax
    jae .Lfree_hardened_twin
    MARKED_PUSH free_marked, PERCOLATE_RSEQ_CPU_ID, percolate_free_slow
    ret
.Lfree_hardened_twin:
    cmpq percolate_front+PERCOLATE_FRONT_PAGES_MARKED_MM_CID(%rip), %rax
    jae percolate_free_slow
    MARKED_PUSH free_marked_mm_cid, PERCOLATE_RSEQ_MM_CID, percolate_free_slow
    ret
    END free
.endm

// The size is in r10 while the section uses rsi, and goes back into rsi for the slow path.
.macro SIZED_PAGE_CLASS pages, other, slow
    cmpq percolate_front+\pages(%rip), %rax
    jae \other
    movq percolate_front+PERCOLATE_FRONT_TABLES(%rip), %r8
    movzbl PERCOLATE_TABLE_PAGE_CLASS(%r8,%rax), %eax
    cmpq $PERCOLATE_SMALL_MAX, %rsi
    ja \slow
    leaq 7(%rsi), %rcx
    shrl $3, %ecx
    cmpb %al, PERCOLATE_TABLE_SIZE_CLASS(%r8,%rcx)
    jne \slow
.endm
.macro FREE_SIZED name, slow, flagged
    ENTRY \name
    .ifnb \flagged
    testb $PERCOLATE_MALLOCX_ALIGNMENT, %dl
    jne \flagged
    .endif
    movq %rsi, %r10
    BLOCK_PAGE
    SIZED_PAGE_CLASS PERCOLATE_FRONT_PAGES, .L\name\()_twin, .L\name\()_slow
    PERCOLATE_PUSH \name, PERCOLATE_RSEQ_CPU_ID, .L\name\()_slow, .L\name\()_slow
    ret
.L\name\()_twin:
    SIZED_PAGE_CLASS PERCOLATE_FRONT_PAGES_MM_CID, .L\name\()_slow, .L\name\()_slow
    PERCOLATE_PUSH \name\()_mm_cid, PERCOLATE_RSEQ_MM_CID, .L\name\()_slow, .L\name\()_slow
    ret
.L\name\()_slow:
    movq %r10, %rsi
    jmp \slow
    END \name
.endm

.macro REALLOC
    ENTRY realloc
    BLOCK_PAGE
    cmpq percolate_front+PERCOLATE_FRONT_PAGES(%rip), %rax
    jae .Lrealloc_twin
.Lrealloc_known:
    leaq -1(%rsi), %rcx
    cmpq $PERCOLATE_SMALL_MAX - 1, %rcx
    ja percolate_realloc_slow
    movq percolate_front+PERCOLATE_FRONT_TABLES(%rip), %r8
    movzbl PERCOLATE_TABLE_PAGE_CLASS(%r8,%rax), %eax
    shrl $3, %ecx
    cmpb %al, PERCOLATE_TABLE_SIZE_CLASS+1(%r8,%rcx)
    jne percolate_realloc_slow
    movq %rdi, %rax
    ret
.Lrealloc_twin:
    cmpq percolate_front+PERCOLATE_FRONT_PAGES_MM_CID(%rip), %rax
    jb .Lrealloc_known
    cmpq percolate_front+PERCOLATE_FRONT_PAGES_MARKED(%rip), %rax
    jb .Lrealloc_marked
    cmpq percolate_front+PERCOLATE_FRONT_PAGES_MARKED_MM_CID(%rip), %rax
    jae percolate_realloc_slow
.Lrealloc_marked:
    movq percolate_front+PERCOLATE_FRONT_TABLES(%rip), %r8
    movzbl PERCOLATE_TABLE_PAGE_CLASS(%r8,%rax), %ecx
    CHECK_MARK %rcx, percolate_realloc_slow
    jmp .Lrealloc_known
    END realloc
.endm

// Goes to \own unless a program's own operator stands behind it.
.macro OPERATOR_ENTRY name, own
    cmpb $0, percolate_operators_differ(%rip)
    je \own
    jmp percolate_derived\name
.endm

#endif
