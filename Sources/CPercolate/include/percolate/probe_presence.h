#ifndef PERCOLATE_PROBE_PRESENCE_H
#define PERCOLATE_PROBE_PRESENCE_H

/// What C and assembly agree on about probes: whether there are any, and the numbers that say which section was aborted.

#if defined(__has_include)
#if __has_include(<sys/sdt.h>)
#define PERCOLATE_HAS_PROBES 1
#endif
#endif

#define PERCOLATE_ABORTED_ALLOCATION 0
#define PERCOLATE_ABORTED_DEALLOCATION 1
#define PERCOLATE_ABORTED_MOVE 2
#define PERCOLATE_ABORTED_CLOSE 3

#endif
