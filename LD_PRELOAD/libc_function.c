#define _GNU_SOURCE
#include "libc_function.h"

#include <dlfcn.h>
#include <percolate/loaded_symbol.h>
#include <stdatomic.h>

typedef void *(*search_function)(void *, const char *);

void *percolate_dlsym(void *scope, const char *name) {
    static _Atomic(search_function) known;
    search_function search = atomic_load_explicit(&known, memory_order_relaxed);
    if (!search) {
        search = (search_function)percolate_loaded_symbol("dlsym", "libc.so.6");
        if (!search) search = (search_function)percolate_loaded_symbol("dlsym", "libdl.so.2");
        if (!search) return (void *)percolate_loaded_symbol(name, NULL);
        atomic_store_explicit(&known, search, memory_order_relaxed);
    }
    return search(scope, name);
}
