/// The entry points of `entry.S` for AArch64 that stand for functions of libc which allocate
/// nothing: included by it.
#ifndef PERCOLATE_ENTRY_CALLS_AARCH64_H
#define PERCOLATE_ENTRY_CALLS_AARCH64_H

// The kernel has no vfork here: it is clone(CLONE_VM | CLONE_VFORK | SIGCHLD) on the caller's
// stack. Nothing of this frame lies there meanwhile, since the child returns from it, and the
// return address is in a register that the system call preserves.
.macro VFORK
    ENTRY vfork
    stp x29, x30, [sp, #-16]!
    .cfi_adjust_cfa_offset 16
    .cfi_offset x29, -16
    .cfi_offset x30, -8
    mov x29, sp
    bl percolate_vfork_slow_begin
    ldp x29, x30, [sp], #16
    .cfi_adjust_cfa_offset -16
    .cfi_restore x29
    .cfi_restore x30
    mov x0, #0x4111
    mov x1, #0
    mov x8, #220
    svc #0
    cbnz x0, percolate_vfork_slow_end
    ret
    END vfork
.endm

.macro SYSCALL
    ENTRY syscall
    cmp x0, #293
    b.eq percolate_program_rseq
    cmp x0, #277
    b.eq percolate_program_seccomp
    mov x8, x0
    mov x0, x1
    mov x1, x2
    mov x2, x3
    mov x3, x4
    mov x4, x5
    mov x5, x6
    svc #0
    cmn x0, #4095
    b.hs percolate_system_call_failed
    ret
    END syscall
.endm

#endif
