#define _GNU_SOURCE
#include "percolate/loaded_symbol.h"

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/// Weak: a strong reference would name the loader among the needed libraries, and with it the
/// versions of what it has.
#pragma weak _r_debug

/// This library's own section, which a static program has none of.
#pragma weak _DYNAMIC

/// The tables of a library, as its dynamic section names them.
struct tables {
    const ElfW(Sym) *symbols;
    const char *strings;
    const uint32_t *hash;
    const ElfW(Versym) *versions;
};

/// The loader relocates the addresses in the section itself, but not those of the kernel's own
/// library, which it cannot write to.
static struct tables tables_of(const struct link_map *loaded) {
    struct tables tables = {0};
    for (const ElfW(Dyn) *dynamic = loaded->l_ld; dynamic->d_tag != DT_NULL; dynamic++) {
        ElfW(Addr) value = dynamic->d_un.d_ptr;
        const void *address = (const void *)(value < loaded->l_addr ? value + loaded->l_addr : value);
        if (dynamic->d_tag == DT_SYMTAB) tables.symbols = address;
        if (dynamic->d_tag == DT_STRTAB) tables.strings = address;
        if (dynamic->d_tag == DT_GNU_HASH) tables.hash = address;
        if (dynamic->d_tag == DT_VERSYM) tables.versions = address;
    }
    return tables;
}

/// The hash of DT_GNU_HASH.
static uint32_t hash_of(const char *name) {
    uint32_t hash = 5381;
    for (; *name; name++) hash = hash * 33 + (unsigned char)*name;
    return hash;
}

/// Whether the symbol is defined, and not only for programs that were linked to an older version of
/// it.
static bool is_offered(const struct tables *tables, uint32_t index) {
    const ElfW(Versym) hidden = 0x8000;
    if (tables->symbols[index].st_shndx == SHN_UNDEF) return false;
    return !tables->versions || (tables->versions[index] & hidden) == 0;
}

/// The definition of `name`. The table of hashes: the numbers of its buckets, of the first symbol
/// in it and of the words of its filter, and a shift; the filter; for each bucket its first symbol;
/// for each symbol its hash, of which the lowest bit ends the bucket.
static const ElfW(Sym) *find(const struct tables *tables, const char *name) {
    if (!tables->symbols || !tables->strings || !tables->hash || tables->hash[0] == 0) return NULL;
    const uint32_t buckets = tables->hash[0], first = tables->hash[1], words = tables->hash[2];
    const uint32_t *bucket = tables->hash + 4 + words * (sizeof(ElfW(Addr)) / sizeof(uint32_t));
    const uint32_t *hashes = bucket + buckets;
    const uint32_t hash = hash_of(name);
    uint32_t index = bucket[hash % buckets];
    if (index < first) return NULL;
    for (;; index++) {
        bool may_be_it = (hashes[index - first] | 1) == (hash | 1) && is_offered(tables, index);
        if (may_be_it && strcmp(tables->strings + tables->symbols[index].st_name, name) == 0) {
            return &tables->symbols[index];
        }
        if (hashes[index - first] & 1) return NULL;
    }
}

static bool is_called(const char *path, const char *library) {
    const char *slash = strrchr(path, '/');
    return strcmp(slash ? slash + 1 : path, library) == 0;
}

const void *percolate_loaded_symbol(const char *name, const char *library) {
    if (!&_r_debug) return NULL;
    for (const struct link_map *loaded = _r_debug.r_map; loaded; loaded = loaded->l_next) {
        if (loaded->l_ld == _DYNAMIC || (library && !is_called(loaded->l_name, library))) continue;
        const struct tables tables = tables_of(loaded);
        const ElfW(Sym) *symbol = find(&tables, name);
        if (symbol) return (const void *)(loaded->l_addr + symbol->st_value);
        if (library) return NULL;
    }
    return NULL;
}
