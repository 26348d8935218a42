#ifndef PERCOLATE_RSEQ_OPS_X86_64_H
#define PERCOLATE_RSEQ_OPS_X86_64_H

/// The steps of the sequences of <percolate/rseq_ops.h> for x86-64: included by it.
///
/// The thread's rseq area is addressed through fs. rax holds the descriptor's address while arming,
/// and afterwards what a step has loaded. Words are memory operands, so that the compiler addresses
/// them as it likes; the clobber "memory" says that they may be written. Stores are ordered by the
/// architecture, so a store-release is a plain store.

#if !defined(PERCOLATE_RSEQ_OPS_H)
#error "include <percolate/rseq_ops.h>"
#endif

/// What an operand of a step stands for: the word at an address, and a value.
#define PERCOLATE_WORD(word) "m"(word)
#define PERCOLATE_VALUE(value) "er"(value)

#define PERCOLATE_STEP_CLOBBERS "rax"

/// The operand `area`: the thread's rseq area as an offset from fs.
static inline ptrdiff_t percolate_section_area(void) { return __rseq_offset; }

/// The CPU number in the thread's rseq area: negative while the thread is not registered.
static inline int percolate_section_cpu(void) {
    int cpu;
    __asm__ volatile("movl %%fs:4(%1), %0" : "=r"(cpu) : "r"(__rseq_offset) : "memory");
    return cpu;
}

/// The concurrency id in the thread's rseq area: 0, too, where there is none.
static inline int percolate_section_mm_cid(void) {
    int mm_cid;
    __asm__ volatile("movl %%fs:24(%1), %0" : "=r"(mm_cid) : "r"(__rseq_offset) : "memory");
    return mm_cid;
}

/// The thread's area points to the descriptor at label 3.
#define PERCOLATE_STEP_ARM                                                                                             \
    "leaq 3b(%%rip), %%rax\n"                                                                                          \
    "movq %%rax, %%fs:8(%[area])\n"

/// Steps 1 and 2.
#define PERCOLATE_STEP_CHECK_CPU                                                                                       \
    "cmpl %[cpu], %%fs:4(%[area])\n"                                                                                   \
    "jne %l[aborted]\n"
/// The kernel leaves the id 0 in the area of a thread that is not registered: its CPU number says
/// so.
#define PERCOLATE_STEP_CHECK_MM_CID                                                                                    \
    "cmpl $0, %%fs:4(%[area])\n"                                                                                       \
    "jl %l[aborted]\n"                                                                                                 \
    "cmpl %[cpu], %%fs:24(%[area])\n"                                                                                  \
    "jne %l[aborted]\n"
#define PERCOLATE_STEP_CHECK_GATE                                                                                      \
    "cmpq $1, %[gate]\n"                                                                                               \
    "jne %l[aborted]\n"

/// Leaves 1 unless `word` equals `expected`.
#define PERCOLATE_STEP_COMPARE(word, expected)                                                                         \
    "cmpq %[" #expected "], %[" #word "]\n"                                                                            \
    "jne %l[differs]\n"

#define PERCOLATE_STEP_STORE(value, word) "movq %[" #value "], %[" #word "]\n"
#define PERCOLATE_STEP_STORE_RELEASE(value, word) PERCOLATE_STEP_STORE(value, word)
#define PERCOLATE_STEP_ADD(value, word) "addq %[" #value "], %[" #word "]\n"

/// Steps on what was loaded last.
#define PERCOLATE_STEP_LOAD(word) "movq %[" #word "], %%rax\n"
#define PERCOLATE_STEP_FOLLOW(offset) "movq (%%rax, %[" #offset "]), %%rax\n"
#define PERCOLATE_STEP_STORE_LOADED(word) "movq %%rax, %[" #word "]\n"
#define PERCOLATE_STEP_ADD_TO_LOADED(value) "addq %[" #value "], (%%rax)\n"
#define PERCOLATE_STEP_LEAVE_IF_LOADED(unwanted)                                                                       \
    "cmpq %[" #unwanted "], %%rax\n"                                                                                   \
    "je %l[differs]\n"

/// Copies 32 bytes at a time where the compiler may use the registers for that, then words and then
/// bytes: rcx counts the bytes left, r8 those done.
#if defined(__SSE2__)
#define PERCOLATE_STEP_COPY_LONG(target, source)                                                                       \
    "9: cmpq $32, %%rcx\n"                                                                                             \
    "jb 5f\n"                                                                                                          \
    "movups (%[" #source "], %%r8), %%xmm0\n"                                                                          \
    "movups 16(%[" #source "], %%r8), %%xmm1\n"                                                                        \
    "movups %%xmm0, (%[" #target "], %%r8)\n"                                                                          \
    "movups %%xmm1, 16(%[" #target "], %%r8)\n"                                                                        \
    "addq $32, %%r8\n"                                                                                                 \
    "subq $32, %%rcx\n"                                                                                                \
    "jmp 9b\n"
#define PERCOLATE_STEP_COPY_CLOBBERS , "rcx", "r8", "xmm0", "xmm1"
#else
#define PERCOLATE_STEP_COPY_LONG(target, source)
#define PERCOLATE_STEP_COPY_CLOBBERS , "rcx", "r8"
#endif
#define PERCOLATE_STEP_COPY(target, source, count)                                                                     \
    "movq %[" #count "], %%rcx\n"                                                                                      \
    "xorl %%r8d, %%r8d\n" PERCOLATE_STEP_COPY_LONG(target, source)                                                     \
    "5: cmpq $8, %%rcx\n"                                                                                              \
    "jb 6f\n"                                                                                                          \
    "movq (%[" #source "], %%r8), %%rax\n"                                                                             \
    "movq %%rax, (%[" #target "], %%r8)\n"                                                                             \
    "addq $8, %%r8\n"                                                                                                  \
    "subq $8, %%rcx\n"                                                                                                 \
    "jmp 5b\n"                                                                                                         \
    "6: testq %%rcx, %%rcx\n"                                                                                          \
    "jz 7f\n"                                                                                                          \
    "movb (%[" #source "], %%r8), %%al\n"                                                                              \
    "movb %%al, (%[" #target "], %%r8)\n"                                                                              \
    "incq %%r8\n"                                                                                                      \
    "decq %%rcx\n"                                                                                                     \
    "jmp 6b\n"                                                                                                         \
    "7:\n"

/// Ends the sequence after its commit, at label 2, with its abort handler at label 4. The four
/// bytes before the handler are what glibc registers with; the bytes before those make them an
/// operand of an undefined instruction.
#define PERCOLATE_SECTION_END                                                                                          \
    "2:\n"                                                                                                             \
    ".pushsection __rseq_failure, \"ax?\"\n"                                                                           \
    ".byte 0x0f, 0xb9, 0x3d\n"                                                                                         \
    ".long 0x53053053\n"                                                                                               \
    "4: jmp %l[aborted]\n"                                                                                             \
    ".popsection\n"

#endif
