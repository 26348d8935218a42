/// How much of the process is in memory.
#ifndef RESIDENT_H
#define RESIDENT_H

#include "check.h"

#include <fcntl.h>

/// Pages of this process in memory. Allocates nothing.
static inline long resident_pages(void) {
    char text[128] = {0};
    int file = open("/proc/self/statm", O_RDONLY);
    CHECK(file >= 0 && read(file, text, sizeof text - 1) > 0 && close(file) == 0);
    long total, resident;
    CHECK(sscanf(text, "%ld %ld", &total, &resident) == 2);
    return resident;
}

#endif
