/// The names of mallctl(3): what a key is, and how it is answered.
#ifndef PERCOLATE_JEMALLOC_KEY_H
#define PERCOLATE_JEMALLOC_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// The C type of a key's value.
enum percolate_key_type {
    PERCOLATE_KEY_ACTION,
    PERCOLATE_KEY_BOOL,
    PERCOLATE_KEY_UNSIGNED,
    PERCOLATE_KEY_UINT32,
    PERCOLATE_KEY_SIZE,
    PERCOLATE_KEY_SSIZE,
    PERCOLATE_KEY_UINT64,
    PERCOLATE_KEY_STRING,
    /// Read as `unsigned`, written as a pointer.
    PERCOLATE_KEY_POINTER,
};

enum percolate_key_access {
    PERCOLATE_KEY_READ = 1,
    PERCOLATE_KEY_WRITE = 2,
    PERCOLATE_KEY_READ_WRITE = 3
};

union percolate_key_value {
    bool flag;
    unsigned number;
    uint32_t number32;
    size_t size;
    ssize_t signed_size;
    uint64_t number64;
    const char *string;
    void *pointer;
};

/// One call for one key.
struct percolate_key_query {
    const struct percolate_key *key;
    /// The numbers in the name, in their order.
    size_t index[2];
    /// What the caller writes; NULL where it does not.
    const union percolate_key_value *written;
    bool is_read;
    /// What the caller reads.
    union percolate_key_value value;
};

enum { PERCOLATE_KEY_DEPTH = 7 };

struct percolate_key {
    /// Components separated by periods; `*` stands for a number.
    const char *name;
    uint8_t type;
    uint8_t access;
    /// Whether a read switches counting on for as long as the process lives: a report does not do
    /// that.
    bool counts;
    /// Whether each call makes what the caller must then know about: it has to read, and all of the
    /// value.
    bool creates;
    /// 0 or an errno as mallctl(3) returns it.
    int (*answer)(struct percolate_key_query *query);
    /// For `answer`: a constant, or an offset in the snapshot.
    union {
        uintptr_t number;
        const char *text;
    } operand;
};

/// The interface that is served is that of jemalloc 5.3.0.
#define PERCOLATE_JEMALLOC_VERSION "5.3.0-0-percolate"

/// The number that stands for all arenas together.
#define PERCOLATE_ALL_ARENAS 4096

#pragma GCC visibility push(hidden)
/// Rows of one prefix lie together.
extern const struct percolate_key percolate_keys[];
extern const size_t percolate_key_count;

/// Bytes of a value.
size_t percolate_key_size(enum percolate_key_type type);

/// The component of `name` at `depth`, and its length; NULL beyond the last one.
const char *percolate_key_component(const char *name, size_t depth, size_t *length);
/// The end of the rows from `row` on that share its first `depth` components.
size_t percolate_key_group_end(size_t row, size_t depth);

/// Writes the first `*length` components of `name` as numbers, or all where there are fewer: their
/// number is `*length` then. ENOENT for a name that does not exist.
int percolate_key_name_to_mib(const char *name, size_t *mib, size_t *length);
/// The key of a name, or of the numbers of one; the numbers in it are written to `index`. NULL
/// where there is none.
const struct percolate_key *percolate_key_named(const char *name, size_t index[2]);
const struct percolate_key *percolate_key_at(const size_t *mib, size_t length, size_t index[2]);
#pragma GCC visibility pop
#endif
