// jemalloc's own interface, looked up: the programs link no libjemalloc, and run under whichever
// allocator is preloaded.
#pragma once

#include "check.h"

#define MALLOCX_LG_ALIGN(lg) ((int)(lg))
#define MALLOCX_ALIGN(a) ((int)__builtin_ctzl(a))
#define MALLOCX_ZERO 0x40
#define MALLOCX_TCACHE(t) (((int)(t) + 2) << 8)
#define MALLOCX_TCACHE_NONE MALLOCX_TCACHE(-1)
#define MALLOCX_ARENA(a) (((int)(a) + 1) << 20)

static void *(*mallocx)(size_t, int);
static void *(*rallocx)(void *, size_t, int);
static size_t (*xallocx)(void *, size_t, size_t, int);
static size_t (*sallocx)(const void *, int);
static void (*dallocx)(void *, int);
static void (*sdallocx)(void *, size_t, int);
static size_t (*nallocx)(size_t, int);
static int (*mallctl)(const char *, void *, size_t *, void *, size_t);
static int (*mallctlnametomib)(const char *, size_t *, size_t *);
static int (*mallctlbymib)(const size_t *, size_t, void *, size_t *, void *, size_t);
static void (*malloc_stats_print)(void (*)(void *, const char *), void *, const char *);

__attribute__((constructor)) static void find_functions(void) {
    *(void **)&mallocx = entry_point("mallocx");
    *(void **)&rallocx = entry_point("rallocx");
    *(void **)&xallocx = entry_point("xallocx");
    *(void **)&sallocx = entry_point("sallocx");
    *(void **)&dallocx = entry_point("dallocx");
    *(void **)&sdallocx = entry_point("sdallocx");
    *(void **)&nallocx = entry_point("nallocx");
    *(void **)&mallctl = entry_point("mallctl");
    *(void **)&mallctlnametomib = entry_point("mallctlnametomib");
    *(void **)&mallctlbymib = entry_point("mallctlbymib");
    *(void **)&malloc_stats_print = entry_point("malloc_stats_print");
}

// The value of a key; the program ends where it cannot be read.
#define READ(type, name)                                                                           \
    ({                                                                                             \
        type value_read;                                                                           \
        size_t length_read = sizeof value_read;                                                    \
        int error_read = mallctl(name, &value_read, &length_read, NULL, 0);                        \
        REQUIRE(error_read == 0, "%s to be read, it says %d", name, error_read);                   \
        REQUIRE(                                                                                   \
            length_read == sizeof value_read, "%s to have %zu bytes", name, sizeof value_read);    \
        value_read;                                                                                \
    })

// Writes a value and gives mallctl's answer.
#define WRITE(type, name, written)                                                                 \
    ({                                                                                             \
        type value_written = written;                                                              \
        mallctl(name, NULL, NULL, &value_written, sizeof value_written);                           \
    })

static inline void refresh(void) {
    REQUIRE(WRITE(uint64_t, "epoch", 1) == 0, "epoch to be written");
}
