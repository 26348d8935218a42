#ifndef PERCOLATE_RSEQ_OPS_X86_64_H
#define PERCOLATE_RSEQ_OPS_X86_64_H

/// The sequences of <percolate/rseq_ops.h> for x86-64: included by it, and described there step by step.
///
/// The thread's rseq area is addressed through fs; rax holds the descriptor's address while arming and is free afterwards.
/// Stores are ordered by the architecture, so a store-release is a plain store.

#if !defined(PERCOLATE_RSEQ_OPS_H)
#error "include <percolate/rseq_ops.h>"
#endif

// Nothing refers to the arrays for debuggers: "R" makes the linker keep them. Everything that does not belong to the stream of code goes to the group of the function that it is emitted for ("?"), so
// that a duplicate of an inline function takes its descriptor with it when the linker drops it.

/// An entry for debuggers: the sequence that follows, at label 1, may be left to `target`.
#define PERCOLATE_SECTION_EXIT(target)                                                                                 \
    ".pushsection __rseq_exit_point_array, \"awR?\"\n"                                                                 \
    ".quad 1f, " target "\n"                                                                                           \
    ".popsection\n"

/// Describes the sequence between labels 1 and 2 with its abort handler at label 4, arms it, and takes steps 1 and 2.
/// `exits` are the entries of the labels that it may be left to besides `aborted`.
#define PERCOLATE_SECTION_START(exits)                                                                                 \
    ".pushsection __rseq_cs, \"aw?\"\n"                                                                                \
    ".balign 32\n"                                                                                                     \
    "3: .long 0, 0\n"                                                                                                  \
    ".quad 1f, 2f - 1f, 4f\n"                                                                                          \
    ".popsection\n"                                                                                                    \
    ".pushsection __rseq_cs_ptr_array, \"awR?\"\n"                                                                     \
    ".quad 3b\n"                                                                                                       \
    ".popsection\n" PERCOLATE_SECTION_EXIT("%l[aborted]") exits                                                        \
    "leaq 3b(%%rip), %%rax\n"                                                                                          \
    "movq %%rax, %%fs:8(%[area])\n"                                                                                    \
    "1:\n" PERCOLATE_SECTION_DELAY(1)                                                                                  \
    "cmpl %[cpu], %%fs:4(%[area])\n"                                                                                   \
    "jne %l[aborted]\n" PERCOLATE_SECTION_DELAY(2)                                                                     \
    "cmpq $1, (%[gate])\n"                                                                                             \
    "jne %l[aborted]\n"

/// Ends the sequence after its commit. The bytes before the signature make it an operand of an undefined instruction.
#define PERCOLATE_SECTION_END                                                                                          \
    "2:\n"                                                                                                             \
    ".pushsection __rseq_failure, \"ax?\"\n"                                                                           \
    ".byte 0x0f, 0xb9, 0x3d\n"                                                                                         \
    ".long " PERCOLATE_SECTION_SIGNATURE "\n"                                                                          \
    "4: jmp %l[aborted]\n"                                                                                             \
    ".popsection\n"

#define PERCOLATE_SECTION_INPUTS(number)                                                                               \
    [area] "r"(__rseq_offset), [cpu] "r"(number), [gate] "r"(&percolate_gate_of(number)->state)

#define PERCOLATE_SECTION_CLOBBERS "memory", "cc", "rax" PERCOLATE_SECTION_DELAY_CLOBBERS

/// The CPU number in the thread's rseq area: negative while the thread is not registered.
static inline int percolate_section_cpu(void) {
    int cpu;
    __asm__ volatile("movl %%fs:4(%1), %0" : "=r"(cpu) : "r"(__rseq_offset) : "memory");
    return cpu;
}

static inline int rseq_cmpeqv_storev(intptr_t *v, intptr_t expect, intptr_t newv, int cpu) {
    __asm__ goto(PERCOLATE_SECTION_START(PERCOLATE_SECTION_EXIT("%l[differs]")) PERCOLATE_SECTION_DELAY(3)
                 "cmpq %[expect], (%[v])\n"
                 "jne %l[differs]\n" PERCOLATE_SECTION_DELAY(4)
                 "movq %[newv], (%[v])\n" PERCOLATE_SECTION_END
                 :
                 : PERCOLATE_SECTION_INPUTS(cpu), [v] "r"(v), [expect] "r"(expect), [newv] "r"(newv)
                 : PERCOLATE_SECTION_CLOBBERS
                 : aborted, differs);
    return 0;
aborted:
    return -1;
differs:
    return 1;
}

static inline int rseq_cmpnev_storeoffp_load(
    intptr_t *v, intptr_t expectnot, intptr_t voffp, intptr_t *load, int cpu) {
    __asm__ goto(PERCOLATE_SECTION_START(PERCOLATE_SECTION_EXIT("%l[differs]")) PERCOLATE_SECTION_DELAY(3)
                 "movq (%[v]), %%rax\n"
                 "cmpq %[expectnot], %%rax\n"
                 "je %l[differs]\n" PERCOLATE_SECTION_DELAY(4)
                 "movq %%rax, (%[load])\n" PERCOLATE_SECTION_DELAY(5)
                 "movq (%%rax, %[voffp]), %%rax\n" PERCOLATE_SECTION_DELAY(6)
                 "movq %%rax, (%[v])\n" PERCOLATE_SECTION_END
                 :
                 : PERCOLATE_SECTION_INPUTS(cpu), [v] "r"(v), [expectnot] "r"(expectnot), [voffp] "r"(voffp),
                   [load] "r"(load)
                 : PERCOLATE_SECTION_CLOBBERS
                 : aborted, differs);
    return 0;
aborted:
    return -1;
differs:
    return 1;
}

static inline int rseq_addv(intptr_t *v, intptr_t count, int cpu) {
    __asm__ goto(PERCOLATE_SECTION_START("") PERCOLATE_SECTION_DELAY(3)
                 "addq %[count], (%[v])\n" PERCOLATE_SECTION_END
                 :
                 : PERCOLATE_SECTION_INPUTS(cpu), [v] "r"(v), [count] "er"(count)
                 : PERCOLATE_SECTION_CLOBBERS
                 : aborted);
    return 0;
aborted:
    return -1;
}

static inline int rseq_offset_deref_addv(intptr_t *ptr, intptr_t off, intptr_t inc, int cpu) {
    __asm__ goto(PERCOLATE_SECTION_START("") PERCOLATE_SECTION_DELAY(3)
                 "movq (%[ptr]), %%rax\n" PERCOLATE_SECTION_DELAY(4)
                 "movq (%%rax, %[off]), %%rax\n" PERCOLATE_SECTION_DELAY(5)
                 "addq %[inc], (%%rax)\n" PERCOLATE_SECTION_END
                 :
                 : PERCOLATE_SECTION_INPUTS(cpu), [ptr] "r"(ptr), [off] "r"(off), [inc] "er"(inc)
                 : PERCOLATE_SECTION_CLOBBERS
                 : aborted);
    return 0;
aborted:
    return -1;
}

static inline int rseq_cmpeqv_trystorev_storev(
    intptr_t *v, intptr_t expect, intptr_t *v2, intptr_t newv2, intptr_t newv, int cpu) {
    __asm__ goto(PERCOLATE_SECTION_START(PERCOLATE_SECTION_EXIT("%l[differs]")) PERCOLATE_SECTION_DELAY(3)
                 "cmpq %[expect], (%[v])\n"
                 "jne %l[differs]\n" PERCOLATE_SECTION_DELAY(4)
                 "movq %[newv2], (%[v2])\n" PERCOLATE_SECTION_DELAY(5)
                 "movq %[newv], (%[v])\n" PERCOLATE_SECTION_END
                 :
                 : PERCOLATE_SECTION_INPUTS(cpu), [v] "r"(v), [expect] "r"(expect), [v2] "r"(v2), [newv2] "r"(newv2),
                   [newv] "r"(newv)
                 : PERCOLATE_SECTION_CLOBBERS
                 : aborted, differs);
    return 0;
aborted:
    return -1;
differs:
    return 1;
}

static inline int rseq_cmpeqv_trystorev_storev_release(
    intptr_t *v, intptr_t expect, intptr_t *v2, intptr_t newv2, intptr_t newv, int cpu) {
    return rseq_cmpeqv_trystorev_storev(v, expect, v2, newv2, newv, cpu);
}

static inline int rseq_cmpeqv_cmpeqv_storev(
    intptr_t *v, intptr_t expect, intptr_t *v2, intptr_t expect2, intptr_t newv, int cpu) {
    __asm__ goto(PERCOLATE_SECTION_START(PERCOLATE_SECTION_EXIT("%l[differs]")) PERCOLATE_SECTION_DELAY(3)
                 "cmpq %[expect], (%[v])\n"
                 "jne %l[differs]\n" PERCOLATE_SECTION_DELAY(4)
                 "cmpq %[expect2], (%[v2])\n"
                 "jne %l[differs]\n" PERCOLATE_SECTION_DELAY(5)
                 "movq %[newv], (%[v])\n" PERCOLATE_SECTION_END
                 :
                 : PERCOLATE_SECTION_INPUTS(cpu), [v] "r"(v), [expect] "r"(expect), [v2] "r"(v2),
                   [expect2] "r"(expect2), [newv] "r"(newv)
                 : PERCOLATE_SECTION_CLOBBERS
                 : aborted, differs);
    return 0;
aborted:
    return -1;
differs:
    return 1;
}

static inline int rseq_cmpeqv_trymemcpy_storev(
    intptr_t *v, intptr_t expect, void *dst, const void *src, size_t len, intptr_t newv, int cpu) {
    // rcx counts the bytes left, r8 those done.
    __asm__ goto(PERCOLATE_SECTION_START(PERCOLATE_SECTION_EXIT("%l[differs]")) PERCOLATE_SECTION_DELAY(3)
                 "cmpq %[expect], (%[v])\n"
                 "jne %l[differs]\n" PERCOLATE_SECTION_DELAY(4)
                 "movq %[len], %%rcx\n"
                 "xorl %%r8d, %%r8d\n"
                 "5: cmpq $8, %%rcx\n"
                 "jb 6f\n"
                 "movq (%[src], %%r8), %%rax\n"
                 "movq %%rax, (%[dst], %%r8)\n"
                 "addq $8, %%r8\n"
                 "subq $8, %%rcx\n"
                 "jmp 5b\n"
                 "6: testq %%rcx, %%rcx\n"
                 "jz 7f\n"
                 "movb (%[src], %%r8), %%al\n"
                 "movb %%al, (%[dst], %%r8)\n"
                 "incq %%r8\n"
                 "decq %%rcx\n"
                 "jmp 6b\n"
                 "7:\n" PERCOLATE_SECTION_DELAY(5)
                 "movq %[newv], (%[v])\n" PERCOLATE_SECTION_END
                 :
                 : PERCOLATE_SECTION_INPUTS(cpu), [v] "r"(v), [expect] "r"(expect), [dst] "r"(dst), [src] "r"(src),
                   [len] "r"(len), [newv] "r"(newv)
                 : PERCOLATE_SECTION_CLOBBERS, "rcx", "r8"
                 : aborted, differs);
    return 0;
aborted:
    return -1;
differs:
    return 1;
}

static inline int rseq_cmpeqv_trymemcpy_storev_release(
    intptr_t *v, intptr_t expect, void *dst, const void *src, size_t len, intptr_t newv, int cpu) {
    return rseq_cmpeqv_trymemcpy_storev(v, expect, dst, src, len, newv, cpu);
}

#endif
