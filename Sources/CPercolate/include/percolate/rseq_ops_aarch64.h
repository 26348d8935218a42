#ifndef PERCOLATE_RSEQ_OPS_AARCH64_H
#define PERCOLATE_RSEQ_OPS_AARCH64_H

/// The steps of the sequences of <percolate/rseq_ops.h> for AArch64: included by it.
///
/// x14 holds what a step has loaded, x15 is scratch. The gate is loaded with acquire order: a
/// control dependency would not keep the loads of the data behind it, and what a vector stored
/// before it opened the gate must be seen. Plain stores are enough for the rest (`section.h`, among
/// the library's own headers, says why): who runs on the CPU later comes through the kernel, and a
/// vector's fence is a barrier on it.

#if !defined(PERCOLATE_RSEQ_OPS_H)
#error "include <percolate/rseq_ops.h>"
#endif

/// What an operand of a step stands for: the word at an address in one register, which is all that
/// `ldar` and `stlr` take, and a value.
#define PERCOLATE_WORD(word) "Q"(word)
#define PERCOLATE_VALUE(value) "r"(value)

#define PERCOLATE_STEP_CLOBBERS "x14", "x15"

/// The operand `area`: the address of the thread's rseq area.
static inline char *percolate_section_area(void) { return (char *)__builtin_thread_pointer() + __rseq_offset; }

/// The CPU number in the thread's rseq area: negative while the thread is not registered.
static inline int percolate_section_cpu(void) { return *(const volatile int *)(percolate_section_area() + 4); }

/// The concurrency id in the thread's rseq area: 0, too, where there is none.
static inline int percolate_section_mm_cid(void) { return *(const volatile int *)(percolate_section_area() + 24); }

/// The thread's area points to the descriptor at label 3.
#define PERCOLATE_STEP_ARM                                                                                             \
    "adrp x15, 3b\n"                                                                                                   \
    "add x15, x15, :lo12:3b\n"                                                                                         \
    "str x15, [%[area], #8]\n"

/// Steps 1 and 2.
#define PERCOLATE_STEP_CHECK_CPU                                                                                       \
    "ldr w15, [%[area], #4]\n"                                                                                         \
    "sub w15, w15, %w[cpu]\n"                                                                                          \
    "cbnz w15, %l[aborted]\n"
/// The kernel leaves the id 0 in the area of a thread that is not registered: its CPU number says
/// so.
#define PERCOLATE_STEP_CHECK_MM_CID                                                                                    \
    "ldr w15, [%[area], #4]\n"                                                                                         \
    "cmp w15, #0\n"                                                                                                    \
    "b.lt %l[aborted]\n"                                                                                               \
    "ldr w15, [%[area], #24]\n"                                                                                        \
    "sub w15, w15, %w[cpu]\n"                                                                                          \
    "cbnz w15, %l[aborted]\n"
#define PERCOLATE_STEP_CHECK_GATE                                                                                      \
    "ldar x15, %[gate]\n"                                                                                              \
    "sub x15, x15, #1\n"                                                                                               \
    "cbnz x15, %l[aborted]\n"

/// Leaves 1 unless `word` equals `expected`.
#define PERCOLATE_STEP_COMPARE(word, expected)                                                                         \
    "ldr x15, %[" #word "]\n"                                                                                          \
    "sub x15, x15, %[" #expected "]\n"                                                                                 \
    "cbnz x15, %l[differs]\n"

#define PERCOLATE_STEP_STORE(value, word) "str %[" #value "], %[" #word "]\n"
#define PERCOLATE_STEP_STORE_RELEASE(value, word) "stlr %[" #value "], %[" #word "]\n"
#define PERCOLATE_STEP_ADD(value, word)                                                                                \
    "ldr x15, %[" #word "]\n"                                                                                          \
    "add x15, x15, %[" #value "]\n"                                                                                    \
    "str x15, %[" #word "]\n"

/// Steps on what was loaded last.
#define PERCOLATE_STEP_LOAD(word) "ldr x14, %[" #word "]\n"
#define PERCOLATE_STEP_FOLLOW(offset) "ldr x14, [x14, %[" #offset "]]\n"
#define PERCOLATE_STEP_STORE_LOADED(word) "str x14, %[" #word "]\n"
#define PERCOLATE_STEP_ADD_TO_LOADED(value)                                                                            \
    "ldr x15, [x14]\n"                                                                                                 \
    "add x15, x15, %[" #value "]\n"                                                                                    \
    "str x15, [x14]\n"
#define PERCOLATE_STEP_LEAVE_IF_LOADED(unwanted)                                                                       \
    "sub x15, x14, %[" #unwanted "]\n"                                                                                 \
    "cbz x15, %l[differs]\n"

/// Copies bytes: x14 counts those done.
#define PERCOLATE_STEP_COPY(target, source, count)                                                                     \
    "mov x14, #0\n"                                                                                                    \
    "5: cmp x14, %[" #count "]\n"                                                                                      \
    "b.hs 6f\n"                                                                                                        \
    "ldrb w15, [%[" #source "], x14]\n"                                                                                \
    "strb w15, [%[" #target "], x14]\n"                                                                                \
    "add x14, x14, #1\n"                                                                                               \
    "b 5b\n"                                                                                                           \
    "6:\n"
#define PERCOLATE_STEP_COPY_CLOBBERS

/// Ends the sequence after its commit, at label 2, with its abort handler at label 4. The four
/// bytes before the handler are what glibc registers with, and an instruction that traps.
#define PERCOLATE_SECTION_END                                                                                          \
    "2: b 8f\n"                                                                                                        \
    ".inst 0xd428bc00\n"                                                                                               \
    "4: b %l[aborted]\n"                                                                                               \
    "8:\n"

#endif
