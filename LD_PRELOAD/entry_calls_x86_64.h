/// The entry points of `entry.S` for x86-64 that stand for functions of libc which allocate
/// nothing: included by it.
#ifndef PERCOLATE_ENTRY_CALLS_X86_64_H
#define PERCOLATE_ENTRY_CALLS_X86_64_H

// The return address is kept in a register that the system call preserves, since the child's return
// overwrites it.
.macro VFORK
    ENTRY vfork
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    call percolate_vfork_slow_begin
    addq $8, %rsp
    .cfi_adjust_cfa_offset -8
    popq %rdi
    .cfi_adjust_cfa_offset -8
    .cfi_register %rip, %rdi
    movl $58, %eax
    syscall
    pushq %rdi
    .cfi_adjust_cfa_offset 8
    .cfi_offset %rip, -8
    testq %rax, %rax
    jz .Lvfork_child
    movq %rax, %rdi
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    call percolate_vfork_slow_end
    addq $8, %rsp
    .cfi_adjust_cfa_offset -8
.Lvfork_child:
    ret
    END vfork
.endm

.macro SYSCALL
    ENTRY syscall
    cmpq $334, %rdi
    je percolate_program_rseq
    cmpq $317, %rdi
    je percolate_program_seccomp
    movq %rdi, %rax
    movq %rsi, %rdi
    movq %rdx, %rsi
    movq %rcx, %rdx
    movq %r8, %r10
    movq %r9, %r8
    movq 8(%rsp), %r9
    syscall
    cmpq $-4095, %rax
    jae .Lsyscall_failed
    ret
.Lsyscall_failed:
    movq %rax, %rdi
    jmp percolate_system_call_failed
    END syscall
.endm

#endif
