/// Errors of a program that calls the C interfaces of the heap and of per-CPU data.
#ifndef PERCOLATE_MISUSE_H
#define PERCOLATE_MISUSE_H

/// Says on one line of standard error what was done with what is at `address`, and aborts.
__attribute__((noreturn, visibility("hidden"))) void percolate_report_misuse(const char *what,
                                                                             const void *address);

#endif
