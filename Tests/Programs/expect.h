// Expectations that print where they do not hold, and go on. `failures` counts them.
#ifndef EXPECT_H
#define EXPECT_H

#include <errno.h>
#include <stdio.h>

static int failures;

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("line %d: %s (errno %d)\n", __LINE__, #condition, errno);                       \
            failures++;                                                                            \
        }                                                                                          \
    } while (0)

#endif
