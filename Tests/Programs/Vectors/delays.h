// Delays before every step of the restartable sequences: `section_delay[step]` turns of a loop. Include it first.
#ifndef DELAYS_H
#define DELAYS_H

#include <stdint.h>

__attribute__((visibility("hidden"))) uint32_t section_delay[8];

#define PERCOLATE_SECTION_DELAY(step)                                                                                  \
    "movl section_delay + 4 * " #step "(%%rip), %%r11d\n"                                                              \
    "91: testl %%r11d, %%r11d\n"                                                                                       \
    "jz 92f\n"                                                                                                         \
    "decl %%r11d\n"                                                                                                    \
    "jmp 91b\n"                                                                                                        \
    "92:\n"
#define PERCOLATE_SECTION_DELAY_CLOBBERS , "r11"

#endif
