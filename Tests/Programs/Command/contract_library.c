/// Stands in for the allocator where the command alone is under test: a shared object that keeps
/// the allocator's contract about `PERCOLATE_OPTIONS=stats=...,main=...` and leaves malloc alone.
/// The statistics that it writes are those of CONTRACT_STATISTICS (`name value` lines), so that a
/// test can have any mode reported.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/// By this name the command knows a library of Percolate.
const int percolate_heap_interface;

/// The value of the last `key=`, empty when there is none.
static void option(const char *key, char *value, size_t size) {
    value[0] = 0;
    const char *text = getenv("PERCOLATE_OPTIONS");
    while (text && *text) {
        size_t length = strcspn(text, ",");
        size_t name = strlen(key);
        if (length > name && !strncmp(text, key, name) && text[name] == '=') {
            snprintf(value, size, "%.*s", (int)(length - name - 1), text + name + 1);
        }
        text += length + (text[length] == ',');
    }
}

/// A duplicate of standard error: many programs close theirs before the destructors of libraries
/// run.
static int standard_error = -1;

__attribute__((constructor)) static void keep_standard_error(void) {
    char destination[4096];
    option("stats", destination, sizeof destination);
    if (!strcmp(destination, "stderr")) standard_error = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 100);
}

__attribute__((destructor)) static void write_statistics(void) {
    char destination[4096], main_process[32], path[4200];
    option("stats", destination, sizeof destination);
    option("main", main_process, sizeof main_process);
    if (!destination[0]) return;
    const char *lines = getenv("CONTRACT_STATISTICS");
    int file = standard_error;
    if (strcmp(destination, "stderr")) {
        int is_main = atoi(main_process) == getpid();
        snprintf(path, sizeof path, is_main ? "%s" : "%s.%d", destination, getpid());
        file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
        if (file < 0) abort();
    }
    dprintf(file, "percolate statistics\nprocess_id %d\nprocess_name %s\nserved_blocks 1\n%s\n", getpid(),
            program_invocation_short_name, lines ? lines : "");
}
