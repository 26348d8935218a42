/// What the memory control group of the process allows (cgroups(7); memory.max of version 2,
/// memory.limit_in_bytes of version 1).
#ifndef PERCOLATE_MEMORY_GROUP_H
#define PERCOLATE_MEMORY_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "layout.h"

struct percolate_memory_group {
    /// Bytes that the tightest of the process's groups allows, from its own up to the root;
    /// INT64_MAX without a limit.
    int64_t limit;
    /// Bytes of anonymous memory of all processes in that group.
    int64_t used;
};

/// Reads the files of the groups below the folder `root`, "" for the system's own. Whether the
/// process is in a group with a memory controller. One thread at a time: what is read lies in
/// static memory.
bool percolate_read_memory_group(const char *root, struct percolate_memory_group *result) PERCOLATE_HIDDEN;
#endif
