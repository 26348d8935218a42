/// glibc's functions for watching and tuning an allocator: mallinfo(3), mallopt(3), malloc_info(3),
/// malloc_stats(3), malloc_trim(3).
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>

#include "core.h"

#define EXPORTED __attribute__((visibility("default")))

/// The figures are read while other threads go on: a part may look larger than the whole.
static size_t difference(size_t whole, size_t part) { return whole > part ? whole - part : 0; }

/// Large blocks stand for those that glibc maps one by one: as there, `arena` and `uordblks` do not
/// have them. `uordblks` is what the program has, to the byte of its blocks once the process is
/// quiet.
EXPORTED struct mallinfo2 mallinfo2(void) {
    struct percolate_process_figures figures;
    percolate_process_figures(&figures);
    size_t arena = difference(figures.committed, figures.large);
    size_t used = difference(figures.application, figures.large);
    return (struct mallinfo2){
        .arena = arena,
        .ordblks = 1,
        .hblks = difference(figures.large_allocations, figures.large_frees),
        .hblkhd = figures.large,
        .uordblks = used,
        .fordblks = difference(arena, used),
        .keepcost = figures.free_resident,
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

/// Accepts and ignores glibc's parameters: they steer mechanisms that do not exist here. 0, an
/// error (mallopt(3)), for a value out of range and for parameters that the man page does not have.
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

/// Empties the caches and gives free pages back: at most once in a tick of the clock, unless much
/// is free. `pad` is ignored: the arena has no top to pad.
EXPORTED int malloc_trim(size_t pad) {
    (void)pad;
    int saved = errno;
    int released = percolate_trim_if_due();
    errno = saved;
    return released;
}

EXPORTED void malloc_stats(void) { percolate_write_statistics(2); }

static ssize_t to_stream(void *stream, const char *text, ssize_t count) {
    return fwrite(text, 1, (size_t)count, stream) == (size_t)count ? 0 : -EIO;
}

EXPORTED int malloc_info(int options, FILE *stream) {
    if (options != 0) {
        errno = EINVAL;
        return -1;
    }
    struct percolate_process_figures figures;
    percolate_process_figures(&figures);
    size_t arena = difference(figures.committed, figures.large);
    int written = fprintf(
        stream,
        "<malloc version=\"percolate-2\">\n"
        "<total type=\"rest\" count=\"1\" size=\"%zu\"/>\n"
        "<total type=\"mmap\" count=\"%" PRIu64 "\" size=\"%" PRIu64 "\"/>\n"
        "<system type=\"current\" size=\"%zu\"/>\n"
        "<aspace type=\"total\" size=\"%" PRIu64 "\"/>\n",
        difference(arena, difference(figures.application, figures.large)),
        difference(figures.large_allocations, figures.large_frees), figures.large, arena, figures.committed + figures.metadata);
    if (written < 0 || !percolate_write_statistics_xml(to_stream, stream)) return -1;
    return fprintf(stream, "</malloc>\n") < 0 ? -1 : 0;
}
