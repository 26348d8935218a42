#define _GNU_SOURCE
#include "percolate/frames.h"

#include <link.h>

/// glibc's `struct dl_find_object` (dlfcn.h, 2.35), with room for what other architectures have in
/// it.
struct found_object {
    unsigned long long flags;
    void *map_start, *map_end;
    struct link_map *link_map;
    void *eh_frame;
    unsigned long long reserved[10];
};

int (*percolate_dl_find_object)(void *address, void *result);

static bool find_object(uintptr_t address, struct found_object *found) {
    return percolate_dl_find_object && percolate_dl_find_object((void *)address, found) == 0;
}

bool percolate_find_object(uintptr_t address, struct percolate_object *object) {
    struct found_object found;
    if (!find_object(address, &found)) return false;
    object->start = (uintptr_t)found.map_start;
    object->end = (uintptr_t)found.map_end;
    object->frame_header = (uintptr_t)found.eh_frame;
    object->bias = found.link_map ? found.link_map->l_addr : 0;
    object->name = found.link_map && found.link_map->l_name ? found.link_map->l_name : "";
    return true;
}

/// The number of an object's dynamic symbols, by its DT_GNU_HASH table: the end of the last chain.
static size_t symbol_count(const uint32_t *table) {
    uint32_t buckets = table[0], first = table[1], filter_words = table[2];
    const uint32_t *bucket = table + 4 + filter_words * (sizeof(ElfW(Addr)) / sizeof(uint32_t));
    const uint32_t *chain = bucket + buckets;
    uint32_t last = 0;
    for (uint32_t index = 0; index < buckets; index++) {
        if (bucket[index] > last) last = bucket[index];
    }
    if (last < first) return first;
    while (!(chain[last - first] & 1)) last++;
    return last + 1;
}

bool percolate_find_symbol(uintptr_t address, struct percolate_symbol *symbol) {
    struct found_object found;
    if (!find_object(address, &found)) return false;
    if (!found.link_map || !found.link_map->l_ld) return false;
    uintptr_t bias = found.link_map->l_addr;
    const ElfW(Sym) *symbols = NULL;
    const char *names = NULL;
    const uint32_t *hashes = NULL;
    for (const ElfW(Dyn) *entry = found.link_map->l_ld; entry->d_tag != DT_NULL; entry++) {
        // The loader has made these addresses absolute, but in the kernel's own object.
        uintptr_t value = entry->d_un.d_ptr;
        if (value < (uintptr_t)found.map_start) value += bias;
        if (entry->d_tag == DT_SYMTAB) symbols = (const ElfW(Sym) *)value;
        if (entry->d_tag == DT_STRTAB) names = (const char *)value;
        if (entry->d_tag == DT_GNU_HASH) hashes = (const uint32_t *)value;
    }
    if (!symbols || !names || !hashes) return false;
    bool is_found = false;
    for (size_t count = symbol_count(hashes), index = 1; index < count; index++) {
        const ElfW(Sym) *candidate = symbols + index;
        uintptr_t start = bias + candidate->st_value;
        bool is_function = (candidate->st_info & 0xf) == STT_FUNC && candidate->st_shndx != SHN_UNDEF;
        if (!is_function || address < start || address - start >= candidate->st_size) continue;
        *symbol = (struct percolate_symbol){start, names + candidate->st_name};
        is_found = true;
    }
    return is_found;
}

/// Defined by the shared object alone.
extern const char percolate_shared_object_mark __attribute__((weak, visibility("hidden")));

bool percolate_is_shared_object(void) { return &percolate_shared_object_mark != 0; }
