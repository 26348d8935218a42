/// malloc_stats_print (jemalloc(3)): what the names say, as text or as JSON.
#ifndef PERCOLATE_JEMALLOC_REPORT_H
#define PERCOLATE_JEMALLOC_REPORT_H

#include "Writer.h"

/// What the program does not want to read.
struct percolate_report_choice {
    bool omits_general, omits_merged, omits_arenas, omits_classes;
};

#pragma GCC visibility push(hidden)
void percolate_report_text(struct percolate_writer *writer, struct percolate_report_choice choice);
void percolate_report_json(struct percolate_writer *writer, struct percolate_report_choice choice);
/// Whether a report asks for the key; then what the key answers.
bool percolate_report_reads(
    const struct percolate_key *key, size_t arena, size_t class, union percolate_key_value *value);
/// At the end of the process, where MALLOC_CONF says `stats_print:true`.
void percolate_report_at_exit(void);
#pragma GCC visibility pop
#endif
