// Delays before every step of the restartable sequences: `section_delay[step]` turns of a loop.
// Include it first.
//
// The tests compile with a copy of <percolate/rseq_ops.h> that has a delay in place of each comment
// with a step's number.
#ifndef DELAYS_H
#define DELAYS_H

#include <stdint.h>

__attribute__((visibility("hidden"))) uint32_t section_delay[8];

#if defined(__aarch64__)
#define SECTION_DELAY(step)                                                                                            \
    "adrp x13, section_delay\n"                                                                                        \
    "add x13, x13, :lo12:section_delay\n"                                                                              \
    "ldr w13, [x13, #4 * " #step "]\n"                                                                                 \
    "91: cbz w13, 92f\n"                                                                                               \
    "sub w13, w13, #1\n"                                                                                               \
    "b 91b\n"                                                                                                          \
    "92:\n"
#define SECTION_DELAY_CLOBBER "x13"
#else
#define SECTION_DELAY(step)                                                                                            \
    "movl section_delay + 4 * " #step "(%%rip), %%r11d\n"                                                              \
    "91: testl %%r11d, %%r11d\n"                                                                                       \
    "jz 92f\n"                                                                                                         \
    "decl %%r11d\n"                                                                                                    \
    "jmp 91b\n"                                                                                                        \
    "92:\n"
#define SECTION_DELAY_CLOBBER "r11"
#endif

#include <percolate/rseq_ops.h>
#ifndef SECTIONS_ARE_DELAYED
#error "compile with the copy that the tests make (DelayedSections)"
#endif

#endif
