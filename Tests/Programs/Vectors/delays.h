// Delays before every step of the restartable sequences: `section_delay[step]` turns of a loop. Include it first.
//
// The tests compile with a copy of <percolate/rseq_ops.h> that has a delay in place of each comment with a step's number.
#ifndef DELAYS_H
#define DELAYS_H

#include <stdint.h>

__attribute__((visibility("hidden"))) uint32_t section_delay[8];

#define SECTION_DELAY(step)                                                                                            \
    "movl section_delay + 4 * " #step "(%%rip), %%r11d\n"                                                              \
    "91: testl %%r11d, %%r11d\n"                                                                                       \
    "jz 92f\n"                                                                                                         \
    "decl %%r11d\n"                                                                                                    \
    "jmp 91b\n"                                                                                                        \
    "92:\n"
#define SECTION_DELAY_CLOBBER "r11"

#include <percolate/rseq_ops.h>
#ifndef SECTIONS_ARE_DELAYED
#error "compile with the copy that the tests make (DelayedSections)"
#endif

#endif
