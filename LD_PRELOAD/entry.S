// The entry points of the allocator: what each does, under which names, once for all architectures.
// `entry_ARCHITECTURE.h` and the files beside it have the instructions. Each fast path is one
// section; whatever it cannot do is a jump, with the arguments as they came, to a C function of
// `slow.c`.
//
// Each entry stands there twice: for gates indexed by cpu_id, and as its twin for gates indexed by
// mm_cid. The first comparison sends a call to the twin when the limit of the cpu_id form is 0, and
// from there to the slow path when both are: before start-up, around vfork, and for large sizes and
// foreign pointers there is little more. What allocates has two more forms between the twin and the
// slow path, one for each index, which count down to the next sample.
//
// Under basic hardening both limits are 0, and two further forms, `_marked`, look at the block's
// mark (Sources/Core/Arena/Marks.swift). A mark is written outside the section, by the block's
// owner: after the commit of a pop, before a push. So what leaves a marked push is a block that is
// marked free, and goes to `percolate_free_marked_slow`.
#include "Jemalloc/Flags.h"
#include "percolate/section.h"

    .text

.macro ALIAS name, target
    .globl \name
    .type \name, @function
    .set \name, \target
.endm

.macro OWN name, target
    .hidden percolate_own\name
    ALIAS percolate_own\name, \target
.endm

// An operator that is defined by another one (`operators.c`): OWN unless a program's own operator
// stands behind it.
.macro OPERATOR name, own
    ENTRY \name
    OPERATOR_ENTRY \name, \own
    END \name
    OWN \name, \name
.endm

#if defined(__x86_64__)
#include "entry_x86_64.h"
#include "entry_calls_x86_64.h"
#else
#include "entry_aarch64.h"
#include "entry_calls_aarch64.h"
#endif

// Where blocks go whose countdown has expired.
.Lexpired:
    .cfi_startproc
    EXPIRED percolate_sampled
    .cfi_endproc
.Lexpired_mallocx:
    .cfi_startproc
    EXPIRED percolate_mallocx_sampled
    .cfi_endproc

// ALLOCATE NAME, SLOW [, FLAGGED [, EXPIRED]]
//
// void *NAME(size_t size)
// void *NAME(size_t size, int flags)                   with \flagged
//
//     if flags ask for an alignment or for zeroes: flagged
//     if size >= limit: slow
//     return pop(class_of[(size + 7) / 8])
ALLOCATE malloc, percolate_malloc_slow
ALLOCATE _Znwm, percolate_new_slow
    .hidden percolate_new_nothrow
ALLOCATE percolate_new_nothrow, percolate_new_nothrow_slow
ALLOCATE mallocx, percolate_mallocx_slow, percolate_mallocx_shaped, .Lexpired_mallocx
ALIAS __libc_malloc, malloc
OWN _Znwm, _Znwm
    .hidden percolate_new
ALIAS percolate_new, _Znwm
OPERATOR _Znam, percolate_own_Znwm
OPERATOR _ZnwmRKSt9nothrow_t, percolate_new_nothrow
OPERATOR _ZnamRKSt9nothrow_t, percolate_new_nothrow
OPERATOR _ZnamSt11align_val_t, percolate_new_aligned
OPERATOR _ZnwmSt11align_val_tRKSt9nothrow_t, percolate_new_aligned_nothrow
OPERATOR _ZnamSt11align_val_tRKSt9nothrow_t, percolate_new_aligned_nothrow

// void *calloc(size_t count, size_t size)
//
//     total = count * size; overflow or total >= limit: slow
//     return memset(pop(class_of[(total + 7) / 8]), 0, total)
CALLOC
ALIAS __libc_calloc, calloc

// void NAME(void *block)
//
//     page = (block - base) >> PAGE_SHIFT; page >= pages (so for NULL and foreign pointers): slow
//     push(block, class_of_page[page])
FREE
ALIAS cfree, free
ALIAS __libc_free, free
ALIAS dallocx, free
ALIAS _ZdlPv, free
OWN _ZdlPv, free
OPERATOR _ZdaPv, percolate_own_free
OPERATOR _ZdlPvRKSt9nothrow_t, percolate_own_free
OPERATOR _ZdaPvRKSt9nothrow_t, percolate_own_free
OPERATOR _ZdaPvSt11align_val_t, percolate_delete_aligned
OPERATOR _ZdlPvSt11align_val_tRKSt9nothrow_t, percolate_delete_aligned
OPERATOR _ZdaPvSt11align_val_tRKSt9nothrow_t, percolate_delete_aligned

// FREE_SIZED NAME, SLOW [, FLAGGED]
//
// void NAME(void *block, size_t size)
// void NAME(void *block, size_t size, int flags)       with \flagged
//
//     if flags say an alignment: flagged
//     as free, but slow unless class_of_page[page] == class_of[(size + 7) / 8]
FREE_SIZED free_sized, percolate_free_sized_slow
FREE_SIZED sdallocx, percolate_sdallocx_slow, percolate_sdallocx_shaped
OPERATOR _ZdlPvm, percolate_own_free_sized
OPERATOR _ZdaPvm, percolate_own_free_sized
OPERATOR _ZdlPvmSt11align_val_t, percolate_delete_sized_aligned
OPERATOR _ZdaPvmSt11align_val_t, percolate_delete_sized_aligned

// void *realloc(void *block, size_t size)
//
//     page as in free; size == 0 or size > SMALL_MAX, page >= pages, or class_of_page[page] != class_of[size]: slow
//     return block
//
// Not a section: the block is the caller's for as long as the call lasts, and nothing is written.
REALLOC
ALIAS __libc_realloc, realloc

// pid_t vfork(void)
//
// The child runs on the parent's stack and shares its rseq area, but is not registered: nothing
// would abort its sections. So the process takes slow paths only, without sections, from before the
// child exists until the parent runs again.
VFORK
ALIAS __vfork, vfork

// long syscall(long number, ...)
//
//     number == SYS_rseq: percolate_program_rseq(...)
//     number == SYS_seccomp: percolate_program_seccomp(...)
//     as libc's syscall(2)
//
// A program that registers restartable sequences itself, or filters its system calls, does it by
// this function. Nothing else of it is of interest here.
SYSCALL

// Names that no other library can take, for the table of `heap_interface.c`.
.irp name, malloc, realloc, free, free_sized, mallocx, sdallocx
    OWN _\name, \name
.endr
    .section .note.GNU-stack, "", @progbits
