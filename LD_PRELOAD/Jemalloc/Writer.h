/// Text for a callback of the program's, in pieces; nothing is allocated, and no lock is held while
/// the program runs.
#ifndef PERCOLATE_JEMALLOC_WRITER_H
#define PERCOLATE_JEMALLOC_WRITER_H

#include <stddef.h>

#include "Key.h"

struct percolate_writer {
    void (*write)(void *argument, const char *text);
    void *argument;
    size_t used;
    char text[512];
};

#pragma GCC visibility push(hidden)
void percolate_writer_flush(struct percolate_writer *writer);
void percolate_writer_add(struct percolate_writer *writer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/// In quotes, with what JSON does not allow between them escaped.
void percolate_writer_add_string(struct percolate_writer *writer, const char *text, size_t length);
void percolate_writer_add_value(struct percolate_writer *writer, enum percolate_key_type type,
    const union percolate_key_value *value);
#pragma GCC visibility pop
#endif
