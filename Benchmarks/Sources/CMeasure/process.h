#pragma once
#include "measure.h"

#include <stdarg.h>

struct process_exit {
    uint64_t peak_resident_bytes;
    uint64_t minor_faults, major_faults;
    bool library_mapped;
};

/// Starts `command`; a traced one stops at its exec. Returns -1 with errno.
pid_t process_start(const struct measure_command *command, bool traced);

/// Reads /proc of a process that still has its address space. `library` may be NULL.
bool process_read(pid_t process, const char *library, struct process_exit *values);

/// 0 when the process has gone.
uint64_t process_resident(pid_t process);

bool failed(char failure[256], const char *format, ...);
double monotonic_seconds(void);
