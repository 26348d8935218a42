#include "percolate/memory_group.h"

#include <stddef.h>
#include <string.h>

#include "percolate/syscalls.h"

/// Not on the stack: the thread that reads may have little of one.
static char groups[2048], text[2048], path[4096];

/// Reads the file whose name is in `path`, with a zero behind it. The number of bytes, 0 where it
/// cannot be read.
static size_t read_file(char *bytes, size_t size) {
    long descriptor = percolate_open(path, O_RDONLY, 0);
    long count = descriptor < 0 ? 0 : percolate_read((int)descriptor, bytes, size - 1);
    if (descriptor >= 0) percolate_close((int)descriptor);
    if (count < 0) count = 0;
    bytes[count] = 0;
    return (size_t)count;
}

/// Puts `name` behind the first `length` bytes of `path`. False where there is no room.
static bool name_file(size_t length, const char *name) {
    size_t count = strlen(name);
    if (length + count >= sizeof path) return false;
    memcpy(path + length, name, count + 1);
    return true;
}

/// The number that a text begins with. The largest for the word `max`, and for what exceeds every
/// memory.
static int64_t number(const char *digits) {
    int64_t value = 0;
    if (*digits < '0' || *digits > '9') return INT64_MAX;
    for (; *digits >= '0' && *digits <= '9'; digits++) {
        if (value > INT64_C(1) << 56) return INT64_MAX;
        value = value * 10 + (*digits - '0');
    }
    return value > INT64_C(1) << 60 ? INT64_MAX : value;
}

/// Bytes of anonymous memory in the group at the first `length` bytes of `path`.
static int64_t anonymous(size_t length, bool is_first_version) {
    const char *key = is_first_version ? "total_rss " : "anon ";
    if (!name_file(length, "/memory.stat") || read_file(text, sizeof text) == 0) return 0;
    for (const char *line = text; line; line = strchr(line, '\n')) {
        if (*line == '\n') line++;
        if (strncmp(line, key, strlen(key)) == 0) {
            int64_t value = number(line + strlen(key));
            return value == INT64_MAX ? 0 : value;
        }
    }
    return 0;
}

/// Looks at the group `name`, of `count` bytes, and all above it.
static bool read_group(const char *root, bool is_first_version, const char *name, size_t count, struct percolate_memory_group *result) {
    if (!name_file(0, root) || !name_file(strlen(root), "/sys/fs/cgroup")) return false;
    if (is_first_version && !name_file(strlen(path), "/memory")) return false;
    size_t start = strlen(path), length = start + count;
    if (length + 32 >= sizeof path) return false;
    memcpy(path + start, name, count);
    bool is_found = false;
    for (;;) {
        while (length > start && path[length - 1] == '/') length--;
        // The path gets shorter: what a file's name overwrites behind `length` is not needed again.
        if (name_file(length, is_first_version ? "/memory.limit_in_bytes" : "/memory.max") && read_file(text, sizeof text) > 0) {
            int64_t limit = number(text);
            is_found = true;
            if (limit < result->limit) {
                result->limit = limit;
                result->used = anonymous(length, is_first_version);
            }
        }
        if (length == start) return is_found;
        while (length > start && path[length - 1] != '/') length--;
    }
}

bool percolate_read_memory_group(const char *root, struct percolate_memory_group *result) {
    *result = (struct percolate_memory_group){INT64_MAX, 0};
    if (!name_file(0, root) || !name_file(strlen(root), "/proc/self/cgroup")) return false;
    read_file(groups, sizeof groups);
    bool is_found = false;
    for (char *line = groups; *line;) {
        char *end = strchr(line, '\n');
        if (!end) end = line + strlen(line);
        // number:controllers:path, of version 1's memory controller; version 2 names no controller.
        char *first = memchr(line, ':', (size_t)(end - line));
        char *second = first ? memchr(first + 1, ':', (size_t)(end - first - 1)) : NULL;
        if (second) {
            bool is_first_version = second - first == 7 && memcmp(first, ":memory", 7) == 0;
            if (is_first_version || second == first + 1)
                is_found |= read_group(root, is_first_version, second + 1, (size_t)(end - second - 1), result);
        }
        line = *end ? end + 1 : end;
    }
    return is_found;
}
