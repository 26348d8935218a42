#include "Writer.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void percolate_writer_flush(struct percolate_writer *writer) {
    if (writer->used == 0) return;
    writer->text[writer->used] = 0;
    writer->used = 0;
    writer->write(writer->argument, writer->text);
}

/// One piece is shorter than the buffer: longer ones are cut.
void percolate_writer_add(struct percolate_writer *writer, const char *format, ...) {
    for (int attempt = 0; attempt < 2; attempt++) {
        size_t room = sizeof writer->text - writer->used;
        va_list arguments;
        va_start(arguments, format);
        int length = vsnprintf(writer->text + writer->used, room, format, arguments);
        va_end(arguments);
        if (length < 0) return;
        if ((size_t)length < room) {
            writer->used += (size_t)length;
            return;
        }
        if (writer->used == 0) {
            writer->used = room - 1;
            return;
        }
        percolate_writer_flush(writer);
    }
}

void percolate_writer_add_string(struct percolate_writer *writer, const char *text, size_t length) {
    percolate_writer_add(writer, "\"");
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        const char *format = byte == '"' || byte == '\\' ? "\\%c" : byte < 0x20 ? "\\u%04x" : "%c";
        percolate_writer_add(writer, format, byte);
    }
    percolate_writer_add(writer, "\"");
}

void percolate_writer_add_value(struct percolate_writer *writer, enum percolate_key_type type,
    const union percolate_key_value *value) {
    switch (type) {
    case PERCOLATE_KEY_BOOL:
        percolate_writer_add(writer, "%s", value->flag ? "true" : "false");
        break;
    case PERCOLATE_KEY_UNSIGNED: percolate_writer_add(writer, "%u", value->number); break;
    case PERCOLATE_KEY_UINT32: percolate_writer_add(writer, "%" PRIu32, value->number32); break;
    case PERCOLATE_KEY_SIZE: percolate_writer_add(writer, "%zu", value->size); break;
    case PERCOLATE_KEY_SSIZE: percolate_writer_add(writer, "%zd", value->signed_size); break;
    case PERCOLATE_KEY_UINT64: percolate_writer_add(writer, "%" PRIu64, value->number64); break;
    case PERCOLATE_KEY_STRING:
        percolate_writer_add_string(writer, value->string, strlen(value->string));
        break;
    case PERCOLATE_KEY_ACTION:
    case PERCOLATE_KEY_POINTER: break;
    }
}
