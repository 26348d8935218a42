#define _GNU_SOURCE
#include "Report.h"

#include <dlfcn.h>
#include <string.h>

#include "../libc_function.h"
#include "Configuration.h"
#include "Snapshot.h"

#include <percolate/syscalls.h>

#define EXPORTED __attribute__((visibility("default")))

/// A program's own function wins, as its own `malloc_conf` does.
EXPORTED void (*malloc_message)(void *argument, const char *text);

static void write_to_standard_error(void *argument, const char *text) {
    (void)argument;
    size_t length = strlen(text);
    while (length > 0) {
        long written = percolate_syscall6(SYS_write, 2, (long)text, (long)length, 0, 0, 0);
        if (written <= 0) return;
        text += written;
        length -= (size_t)written;
    }
}

bool percolate_report_reads(
    const struct percolate_key *key, size_t arena, size_t class, union percolate_key_value *value) {
    if (!(key->access & PERCOLATE_KEY_READ) || key->counts || key->creates ||
        key->type == PERCOLATE_KEY_POINTER)
        return false;
    // The keys of `arenas.bin` have one number, which is the class.
    bool has_arena = strncmp(key->name, "stats.", 6) == 0;
    struct percolate_key_query query = {
        .key = key, .is_read = true, .index = {has_arena ? arena : class, class}};
    if (key->answer(&query) != 0) return false;
    *value = query.value;
    return true;
}

EXPORTED void malloc_stats_print(
    void (*write)(void *, const char *), void *argument, const char *options) {
    if (!options) options = "";
    struct percolate_report_choice choice = {
        .omits_general = strchr(options, 'g') != NULL,
        .omits_merged = strchr(options, 'm') != NULL,
        .omits_arenas = strchr(options, 'a') != NULL,
        .omits_classes = strchr(options, 'b') != NULL,
    };
    if (!write) write = malloc_message ? malloc_message : write_to_standard_error;
    struct percolate_writer writer = {.write = write, .argument = argument};
    percolate_refresh_snapshot();
    (strchr(options, 'J') ? percolate_report_json : percolate_report_text)(&writer, choice);
    percolate_writer_flush(&writer);
}

void percolate_report_at_exit(void) {
    const struct percolate_configuration *configuration = percolate_configuration();
    // A libjemalloc that the program links has read MALLOC_CONF as well, and calls
    // malloc_stats_print by itself.
    if (!configuration->prints_statistics || percolate_dlsym(RTLD_NEXT, "mallctl")) return;
    malloc_stats_print(NULL, NULL, configuration->print_options);
}
