#pragma once
#include <jemalloc/jemalloc.h>

/// The version of the header. `mallctl`, which only jemalloc defines, gives that of the library and keeps it linked.
static inline const char *jemalloc_header_version(void) { return JEMALLOC_VERSION; }
