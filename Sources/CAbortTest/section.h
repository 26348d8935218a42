/// A restartable sequence that does nothing but last: the shape that the kernel asks for (rseq(2)),
/// for each architecture.
#ifndef PERCOLATE_ABORT_TEST_SECTION_H
#define PERCOLATE_ABORT_TEST_SECTION_H

#include <stdatomic.h>
#include <stdint.h>

/// The area that a thread registers (32 bytes, so aligned), of which only `rseq_cs` is the
/// program's to write.
struct abort_test_area {
    uint32_t cpu_id_start, cpu_id;
    uint64_t rseq_cs;
    uint32_t flags, rest[3];
} __attribute__((aligned(32)));

/// glibc registers with it, and it stands before every abort handler.
#if defined(__x86_64__)
#define ABORT_TEST_SIGNATURE 0x53053053
#elif defined(__aarch64__)
#define ABORT_TEST_SIGNATURE 0xd428bc00
#else
#error "no restartable sequence for this architecture"
#endif

/// Arms the section, stores 1 to `*entered` inside it, and counts `rounds` down. 1 when it was
/// aborted, 0 when it came to its end.
__attribute__((noinline)) static int spin_in_section(uint64_t *rseq_cs, atomic_int *entered, uint64_t rounds) {
#if defined(__x86_64__)
    __asm__ goto volatile(
        ".pushsection __rseq_cs, \"aw\"\n"
        ".balign 32\n"
        "3: .long 0, 0\n"
        ".quad 1f, 2f - 1f, 4f\n"
        ".popsection\n"
        ".pushsection __rseq_failure, \"ax\"\n"
        ".byte 0x0f, 0xb9, 0x3d\n"
        ".long 0x53053053\n"
        "4: jmp %l[aborted]\n"
        ".popsection\n"
        "leaq 3b(%%rip), %%rax\n"
        "movq %[rounds], %%rcx\n"
        "movq %%rax, (%[rseq_cs])\n"
        "1: movl $1, (%[entered])\n"
        "5: decq %%rcx\n"
        "jnz 5b\n"
        "2:\n"
        :
        : [rseq_cs] "r"(rseq_cs), [entered] "r"(entered), [rounds] "r"(rounds)
        : "rax", "rcx", "cc", "memory"
        : aborted);
#else
    __asm__ goto volatile(
        ".pushsection __rseq_cs, \"aw\"\n"
        ".balign 32\n"
        "3: .long 0, 0\n"
        ".quad 1f, 2f - 1f, 4f\n"
        ".popsection\n"
        ".pushsection __rseq_failure, \"ax\"\n"
        ".inst 0xd428bc00\n"
        "4: b %l[aborted]\n"
        ".popsection\n"
        "adrp x9, 3b\n"
        "add x9, x9, :lo12:3b\n"
        "mov x10, %[rounds]\n"
        "mov w11, #1\n"
        "str x9, [%[rseq_cs]]\n"
        "1: str w11, [%[entered]]\n"
        "5: subs x10, x10, #1\n"
        "b.ne 5b\n"
        "2:\n"
        :
        : [rseq_cs] "r"(rseq_cs), [entered] "r"(entered), [rounds] "r"(rounds)
        : "x9", "x10", "x11", "cc", "memory"
        : aborted);
#endif
    return 0;
aborted:
    return 1;
}

#endif
