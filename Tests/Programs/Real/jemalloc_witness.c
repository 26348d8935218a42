// Preloaded beside the allocator into a server that links libjemalloc: says at the end, by
// libjemalloc's own statistics, how many blocks libjemalloc has served. One line, `PROGRAM BLOCKS`,
// is added to the file that JEMALLOC_WITNESS names.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef int control(const char *, void *, size_t *, void *, size_t);

// The library's own function: a handle is searched before what is preloaded.
static control *own_control(void) {
    void *library = dlopen("libjemalloc.so.2", RTLD_LAZY | RTLD_NOLOAD);
    return library ? (control *)dlsym(library, "mallctl") : NULL;
}

static uint64_t count(control *mallctl, const char *name) {
    uint64_t value = 0;
    size_t length = sizeof value;
    return mallctl(name, &value, &length, NULL, 0) == 0 ? value : UINT64_MAX / 4;
}

static void testify(void) {
    const char *path = getenv("JEMALLOC_WITNESS");
    control *mallctl = own_control();
    if (!path || !mallctl) return;
    uint64_t epoch = 1;
    mallctl("epoch", NULL, NULL, &epoch, sizeof epoch);
    uint64_t blocks = count(mallctl, "stats.arenas.4096.small.nmalloc") + count(mallctl, "stats.arenas.4096.large.nmalloc");
    char line[128];
    int length = snprintf(line, sizeof line, "%s %lu\n", program_invocation_short_name, (unsigned long)blocks);
    int file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0 || write(file, line, (size_t)length) != length) perror(path);
    if (file >= 0) close(file);
}

__attribute__((destructor)) static void end(void) { testify(); }

// For a server that knows no end but a signal that kills it. It is idle when this comes.
static void end_by_signal(int number) {
    (void)number;
    testify();
    _exit(0);
}

__attribute__((constructor)) static void expect_signal(void) { signal(SIGPWR, end_by_signal); }
