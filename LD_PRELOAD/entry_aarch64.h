/// The entry points of `entry.S` for AArch64: included by it. `percolate/section_aarch64.h` says
/// what the registers hold.
#ifndef PERCOLATE_ENTRY_AARCH64_H
#define PERCOLATE_ENTRY_AARCH64_H

#include "entry_marks_aarch64.h"

// Leaves for \other unless the value of \register is below the limit \field.
.macro BELOW register, field, other
    PERCOLATE_LOAD_FRONT x16, \field
    cmp \register, x16
    b.hs \other
.endm

.macro ALLOCATE name, slow, flagged, expired=.Lexpired
    ENTRY \name
    .ifnb \flagged
    tst w1, #PERCOLATE_MALLOCX_SHAPE
    b.ne \flagged
    .endif
    PERCOLATE_FRONT_PAGE
    BELOW x0, PERCOLATE_FRONT_LIMIT, .L\name\()_twin
    PERCOLATE_SIZE_CLASS x0
    PERCOLATE_POP \name, PERCOLATE_RSEQ_CPU_ID, \slow, \slow
    mov x0, x16
    ret
.L\name\()_twin:
    BELOW x0, PERCOLATE_FRONT_LIMIT_MM_CID, .L\name\()_sampled_twin
    PERCOLATE_SIZE_CLASS x0
    PERCOLATE_POP \name\()_mm_cid, PERCOLATE_RSEQ_MM_CID, \slow, \slow
    mov x0, x16
    ret
.L\name\()_sampled_twin:
    BELOW x0, PERCOLATE_FRONT_LIMIT_SAMPLED, .L\name\()_sampled_mm_cid_twin
    PERCOLATE_SIZE_CLASS x0
    PERCOLATE_POP_SAMPLED \name\()_sampled, PERCOLATE_RSEQ_CPU_ID, \slow, \slow, \expired
    mov x0, x16
    ret
.L\name\()_sampled_mm_cid_twin:
    BELOW x0, PERCOLATE_FRONT_LIMIT_SAMPLED_MM_CID, .L\name\()_hardened
    PERCOLATE_SIZE_CLASS x0
    PERCOLATE_POP_SAMPLED \name\()_sampled_mm_cid, PERCOLATE_RSEQ_MM_CID, \slow, \slow, \expired
    mov x0, x16
    ret
.L\name\()_hardened:
    BELOW x0, PERCOLATE_FRONT_LIMIT_MARKED, .L\name\()_hardened_twin
    PERCOLATE_SIZE_CLASS x0
    PERCOLATE_POP \name\()_marked, PERCOLATE_RSEQ_CPU_ID, \slow, \slow
    MARK_LIVE
    mov x0, x16
    ret
.L\name\()_hardened_twin:
    BELOW x0, PERCOLATE_FRONT_LIMIT_MARKED_MM_CID, \slow
    PERCOLATE_SIZE_CLASS x0
    PERCOLATE_POP \name\()_marked_mm_cid, PERCOLATE_RSEQ_MM_CID, \slow, \slow
    MARK_LIVE
    mov x0, x16
    ret
    END \name
.endm

// Where a sampled twin goes with a block and a countdown that expired. The size is in x0.
//
//     return target(size, block, slab, class, whether this pop expired it)
.macro EXPIRED target
    cset w4, lo
    mov x1, x16
    mov x2, x14
    mov x3, x12
    b \target
.endm

.macro CALLOC
    ENTRY calloc
    umulh x9, x0, x1
    cbnz x9, percolate_calloc_slow
    mul x8, x0, x1
    PERCOLATE_FRONT_PAGE
    BELOW x8, PERCOLATE_FRONT_LIMIT, .Lcalloc_twin
    PERCOLATE_SIZE_CLASS x8
    PERCOLATE_POP calloc, PERCOLATE_RSEQ_CPU_ID, percolate_calloc_slow, percolate_calloc_slow
.Lcalloc_zero:
    adrp x9, :got:memset
    ldr x9, [x9, :got_lo12:memset]
    mov x0, x16
    mov w1, #0
    mov x2, x8
    br x9
.Lcalloc_twin:
    BELOW x8, PERCOLATE_FRONT_LIMIT_MM_CID, .Lcalloc_sampled_twin
    PERCOLATE_SIZE_CLASS x8
    PERCOLATE_POP calloc_mm_cid, PERCOLATE_RSEQ_MM_CID, percolate_calloc_slow, percolate_calloc_slow
    b .Lcalloc_zero
.Lcalloc_sampled_twin:
    BELOW x8, PERCOLATE_FRONT_LIMIT_SAMPLED, .Lcalloc_sampled_mm_cid_twin
    PERCOLATE_SIZE_CLASS x8
    PERCOLATE_POP_SAMPLED calloc_sampled, PERCOLATE_RSEQ_CPU_ID, percolate_calloc_slow, percolate_calloc_slow, .Lcalloc_expired
    b .Lcalloc_zero
.Lcalloc_sampled_mm_cid_twin:
    BELOW x8, PERCOLATE_FRONT_LIMIT_SAMPLED_MM_CID, .Lcalloc_hardened
    PERCOLATE_SIZE_CLASS x8
    PERCOLATE_POP_SAMPLED calloc_sampled_mm_cid, PERCOLATE_RSEQ_MM_CID, percolate_calloc_slow, percolate_calloc_slow, .Lcalloc_expired
    b .Lcalloc_zero
.Lcalloc_expired:
    mov x0, x8
    EXPIRED percolate_calloc_sampled
.Lcalloc_hardened:
    BELOW x8, PERCOLATE_FRONT_LIMIT_MARKED, .Lcalloc_hardened_twin
    PERCOLATE_SIZE_CLASS x8
    PERCOLATE_POP calloc_marked, PERCOLATE_RSEQ_CPU_ID, percolate_calloc_slow, percolate_calloc_slow
    MARK_LIVE
    b .Lcalloc_zero
.Lcalloc_hardened_twin:
    BELOW x8, PERCOLATE_FRONT_LIMIT_MARKED_MM_CID, percolate_calloc_slow
    PERCOLATE_SIZE_CLASS x8
    PERCOLATE_POP calloc_marked_mm_cid, PERCOLATE_RSEQ_MM_CID, percolate_calloc_slow, percolate_calloc_slow
    MARK_LIVE
    b .Lcalloc_zero
    END calloc
.endm

// x10 = the page of block x0: a number beyond every page for NULL and for what lies below the
// arena.
.macro BLOCK_PAGE
    PERCOLATE_FRONT_PAGE
    PERCOLATE_LOAD_FRONT x10, PERCOLATE_FRONT_BASE
    sub x10, x0, x10
    lsr x10, x10, #PERCOLATE_PAGE_SHIFT
.endm

// x12 = the class of page x10, x11 = tables.
.macro PAGE_CLASS
    PERCOLATE_LOAD_FRONT x11, PERCOLATE_FRONT_TABLES
    add x12, x11, x10
    add x12, x12, #PERCOLATE_TABLE_PAGE_CLASS >> 12, lsl #12
    ldrb w12, [x12]
.endm

// The push of a block, whose page is x10, that must be marked as handed out; \slow is for one that
// is not.
.macro MARKED_PUSH name, index, slow
    PAGE_CLASS
    CHECK_MARK \slow
    mov w16, #PERCOLATE_MARK_FREE
    strb w16, [x14]
    PERCOLATE_PUSH \name, \index, percolate_free_marked_slow, percolate_free_marked_slow, 0
.endm

.macro FREE
    ENTRY free
    BLOCK_PAGE
    BELOW x10, PERCOLATE_FRONT_PAGES, .Lfree_twin
    PAGE_CLASS
    PERCOLATE_PUSH free, PERCOLATE_RSEQ_CPU_ID, percolate_free_slow, percolate_free_slow
    ret
.Lfree_twin:
    BELOW x10, PERCOLATE_FRONT_PAGES_MM_CID, .Lfree_hardened
    PAGE_CLASS
    PERCOLATE_PUSH free_mm_cid, PERCOLATE_RSEQ_MM_CID, percolate_free_slow, percolate_free_slow
    ret
.Lfree_hardened:
    BELOW x10, PERCOLATE_FRONT_PAGES_MARKED, .Lfree_hardened_twin
    MARKED_PUSH free_marked, PERCOLATE_RSEQ_CPU_ID, percolate_free_slow
    ret
.Lfree_hardened_twin:
    BELOW x10, PERCOLATE_FRONT_PAGES_MARKED_MM_CID, percolate_free_slow
    MARKED_PUSH free_marked_mm_cid, PERCOLATE_RSEQ_MM_CID, percolate_free_slow
    ret
    END free
.endm

.macro SIZED_PAGE_CLASS slow
    PAGE_CLASS
    cmp x1, #PERCOLATE_SMALL_MAX
    b.hi \slow
    add x16, x1, #7
    lsr x16, x16, #3
    ldrb w16, [x11, x16]
    cmp w16, w12
    b.ne \slow
.endm
.macro FREE_SIZED name, slow, flagged
    ENTRY \name
    .ifnb \flagged
    tst w2, #PERCOLATE_MALLOCX_ALIGNMENT
    b.ne \flagged
    .endif
    BLOCK_PAGE
    BELOW x10, PERCOLATE_FRONT_PAGES, .L\name\()_twin
    SIZED_PAGE_CLASS \slow
    PERCOLATE_PUSH \name, PERCOLATE_RSEQ_CPU_ID, \slow, \slow
    ret
.L\name\()_twin:
    BELOW x10, PERCOLATE_FRONT_PAGES_MM_CID, \slow
    SIZED_PAGE_CLASS \slow
    PERCOLATE_PUSH \name\()_mm_cid, PERCOLATE_RSEQ_MM_CID, \slow, \slow
    ret
    END \name
.endm

.macro REALLOC
    ENTRY realloc
    BLOCK_PAGE
    BELOW x10, PERCOLATE_FRONT_PAGES, .Lrealloc_twin
.Lrealloc_known:
    sub x16, x1, #1
    cmp x16, #PERCOLATE_SMALL_MAX
    b.hs percolate_realloc_slow
    PAGE_CLASS
    add x16, x11, x16, lsr #3
    ldrb w16, [x16, #PERCOLATE_TABLE_SIZE_CLASS+1]
    cmp w16, w12
    b.ne percolate_realloc_slow
    ret
.Lrealloc_twin:
    PERCOLATE_LOAD_FRONT x16, PERCOLATE_FRONT_PAGES_MM_CID
    cmp x10, x16
    b.lo .Lrealloc_known
    PERCOLATE_LOAD_FRONT x16, PERCOLATE_FRONT_PAGES_MARKED
    cmp x10, x16
    b.lo .Lrealloc_marked
    BELOW x10, PERCOLATE_FRONT_PAGES_MARKED_MM_CID, percolate_realloc_slow
.Lrealloc_marked:
    PAGE_CLASS
    CHECK_MARK percolate_realloc_slow
    b .Lrealloc_known
    END realloc
.endm

// Goes to \own unless a program's own operator stands behind it.
.macro OPERATOR_ENTRY name, own
    adrp x16, percolate_operators_differ
    ldrb w16, [x16, :lo12:percolate_operators_differ]
    cbz w16, \own
    b percolate_derived\name
.endm

#endif
