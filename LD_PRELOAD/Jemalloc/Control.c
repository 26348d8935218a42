/// mallctl, mallctlnametomib and mallctlbymib (jemalloc(3)): what the caller hands over, checked.
///
/// Not for signal handlers. ENOENT for a name that does not exist or has no true answer here,
/// EINVAL for a length that is not the type's (as much as fits is read all the same), EPERM for
/// writing what can only be read and the reverse.
#include <errno.h>
#include <string.h>

#include "Key.h"

#define EXPORTED __attribute__((visibility("default")))

size_t percolate_key_size(enum percolate_key_type type) {
    switch (type) {
    case PERCOLATE_KEY_ACTION: return 0;
    case PERCOLATE_KEY_BOOL: return sizeof(bool);
    case PERCOLATE_KEY_UNSIGNED: return sizeof(unsigned);
    case PERCOLATE_KEY_UINT32: return sizeof(uint32_t);
    case PERCOLATE_KEY_SIZE: return sizeof(size_t);
    case PERCOLATE_KEY_SSIZE: return sizeof(ssize_t);
    case PERCOLATE_KEY_UINT64: return sizeof(uint64_t);
    case PERCOLATE_KEY_STRING: return sizeof(const char *);
    case PERCOLATE_KEY_POINTER: return sizeof(void *);
    }
    return 0;
}

static int run(const struct percolate_key *key, const size_t index[2], void *old,
    size_t *old_length, const void *new, size_t new_length) {
    if (!key) return ENOENT;
    bool reads = old != NULL || old_length != NULL;
    bool writes = new != NULL || new_length != 0;
    if ((reads && !(key->access & PERCOLATE_KEY_READ)) ||
        (writes && !(key->access & PERCOLATE_KEY_WRITE)))
        return EPERM;
    size_t size = percolate_key_size(key->type);
    size_t read_size = key->type == PERCOLATE_KEY_POINTER ? sizeof(unsigned) : size;
    struct percolate_key_query query = {
        .key = key, .index = {index[0], index[1]}, .is_read = old != NULL && old_length != NULL};
    union percolate_key_value written;
    if (new) {
        if (new_length != size) return EINVAL;
        memcpy(&written, new, size);
        query.written = &written;
    }
    bool fits = !query.is_read || *old_length == read_size;
    if (key->creates && !(query.is_read && fits)) {
        if (old_length) *old_length = 0;
        return EINVAL;
    }
    // A value that cannot be taken whole is not worth the change.
    if (!fits) query.written = NULL;
    int error = key->answer(&query);
    if (error || !query.is_read) return error;
    size_t copied = *old_length < read_size ? *old_length : read_size;
    memcpy(old, &query.value, copied);
    *old_length = copied;
    return fits ? 0 : EINVAL;
}

EXPORTED int mallctl(
    const char *name, void *old, size_t *old_length, void *new, size_t new_length) {
    size_t index[2] = {0, 0};
    return run(percolate_key_named(name, index), index, old, old_length, new, new_length);
}

EXPORTED int mallctlnametomib(const char *name, size_t *mib, size_t *length) {
    return percolate_key_name_to_mib(name, mib, length);
}

EXPORTED int mallctlbymib(const size_t *mib, size_t mib_length, void *old, size_t *old_length,
    void *new, size_t new_length) {
    size_t index[2] = {0, 0};
    return run(percolate_key_at(mib, mib_length, index), index, old, old_length, new, new_length);
}
