/// glibc's functions for watching and tuning an allocator: mallinfo(3), mallopt(3), malloc_info(3), malloc_stats(3),
/// malloc_trim(3).
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>

#include "core.h"

#define EXPORTED __attribute__((visibility("default")))

/// The figures are read while other threads go on: a part may look larger than the whole.
static size_t difference(size_t whole, size_t part) { return whole > part ? whole - part : 0; }

/// Large blocks stand for those that glibc maps one by one: as there, `arena` and `uordblks` do not have them.
EXPORTED struct mallinfo2 mallinfo2(void) {
    struct percolate_memory memory;
    percolate_memory_figures(&memory);
    return (struct mallinfo2){
        .arena = difference(memory.committed, memory.large),
        .ordblks = 1,
        .hblks = memory.large_count,
        .hblkhd = memory.large,
        .uordblks = difference(memory.in_use, memory.large),
        .fordblks = difference(memory.committed, memory.in_use),
        .keepcost = memory.free_resident,
    };
}

static int clamped(size_t value) { return value > INT_MAX ? INT_MAX : (int)value; }

/// The fields are int: a figure that does not fit reads INT_MAX.
EXPORTED struct mallinfo mallinfo(void) {
    struct mallinfo2 wide = mallinfo2();
    return (struct mallinfo){
        .arena = clamped(wide.arena),
        .ordblks = clamped(wide.ordblks),
        .hblks = clamped(wide.hblks),
        .hblkhd = clamped(wide.hblkhd),
        .uordblks = clamped(wide.uordblks),
        .fordblks = clamped(wide.fordblks),
        .keepcost = clamped(wide.keepcost),
    };
}

/// Accepts and ignores glibc's parameters: they steer mechanisms that do not exist here. 0, an error
/// (mallopt(3)), for a value out of range and for parameters that the man page does not have.
EXPORTED int mallopt(int parameter, int value) {
    switch (parameter) {
    case M_MXFAST:
        return value >= 0 && value <= (int)(80 * sizeof(size_t) / 4);
    case M_TRIM_THRESHOLD:
    case M_TOP_PAD:
    case M_MMAP_THRESHOLD:
    case M_MMAP_MAX:
    case M_CHECK_ACTION:
    case M_PERTURB:
    case M_ARENA_TEST:
    case M_ARENA_MAX:
        return 1;
    default:
        return 0;
    }
}

/// Empties the caches and gives free pages back. `pad` is ignored: the arena has no top to pad.
EXPORTED int malloc_trim(size_t pad) {
    (void)pad;
    int saved = errno;
    int released = percolate_trim();
    errno = saved;
    return released;
}

EXPORTED void malloc_stats(void) { percolate_write_statistics(2); }

EXPORTED int malloc_info(int options, FILE *stream) {
    if (options != 0) {
        errno = EINVAL;
        return -1;
    }
    struct percolate_memory memory;
    percolate_memory_figures(&memory);
    int written = fprintf(
        stream,
        "<malloc version=\"percolate-1\">\n"
        "<total type=\"rest\" count=\"1\" size=\"%" PRIu64 "\"/>\n"
        "<total type=\"mmap\" count=\"%" PRIu64 "\" size=\"%" PRIu64 "\"/>\n"
        "<system type=\"current\" size=\"%" PRIu64 "\"/>\n"
        "<aspace type=\"total\" size=\"%" PRIu64 "\"/>\n"
        "</malloc>\n",
        difference(memory.committed, memory.in_use), memory.large_count, memory.large,
        difference(memory.committed, memory.large),
        memory.committed + memory.metadata);
    return written < 0 ? -1 : 0;
}
