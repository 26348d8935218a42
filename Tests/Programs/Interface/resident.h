// How much of the process is in memory and how much of it is locked, read without allocating.
#pragma once
#include "check.h"
#include <fcntl.h>

// The number on the line `name:` of /proc/self/status, in KiB.
static inline long status_kib(const char *name) {
    static char text[8192];
    int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    REQUIRE(file >= 0, "/proc/self/status to be readable");
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    REQUIRE(length > 0, "/proc/self/status to be readable");
    text[length] = 0;
    size_t name_length = strlen(name);
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        if (*line == '\n') line++;
        if (strncmp(line, name, name_length) == 0 && line[name_length] == ':') return atol(line + name_length + 1);
    }
    REQUIRE(0, "/proc/self/status to have %s", name);
    return 0;
}

static inline long resident_mib(void) { return status_kib("VmRSS") / 1024; }
