/// C++ allocation that the fast path could not serve, and its aligned forms, without depending on a C++ library: what only
/// that has (the new-handler, std::bad_alloc) is looked up in the process when memory is out.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "core.h"

#define EXPORTED __attribute__((visibility("default")))

typedef void (*handler)(void);

/// A function of the process's C++ library, NULL where there is none. `scope` is searched first. The library may be out of sight of
/// it: the dependency of a plug-in that was loaded with RTLD_LOCAL.
static void *cxx_function_in(void *scope, const char *name) {
    static const char *const libraries[] = {"libstdc++.so.6", "libc++.so.1"};
    void *function = dlsym(scope, name);
    for (size_t index = 0; !function && index < sizeof libraries / sizeof libraries[0]; index++) {
        void *library = dlopen(libraries[index], RTLD_NOW | RTLD_NOLOAD);
        if (!library) continue;
        function = dlsym(library, name);
        dlclose(library);
    }
    return function;
}

static void *cxx_function(const char *name) { return cxx_function_in(RTLD_DEFAULT, name); }

/// The C++ library's own form of a function that this library exports too.
void *percolate_next_cxx_function(const char *name) { return cxx_function_in(RTLD_NEXT, name); }

/// The current new-handler (std::get_new_handler), NULL when there is none.
static handler new_handler(void) {
    handler (*get)(void) = (handler(*)(void))cxx_function("_ZSt15get_new_handlerv");
    return get ? get() : NULL;
}

/// Throws std::bad_alloc, by libstdc++ or libc++. A program without either cannot catch it and ends.
__attribute__((noreturn)) static void throw_bad_alloc(void) {
    static const char *const names[] = {"_ZSt17__throw_bad_allocv", "_ZNSt3__117__throw_bad_allocEv"};
    for (size_t index = 0; index < sizeof names / sizeof names[0]; index++) {
        void (*throwing)(void) = (void (*)(void))cxx_function(names[index]);
        if (throwing) throwing();
    }
    abort();
}

static void *allocate(size_t alignment, size_t size) {
    return alignment ? percolate_allocate_aligned(alignment, size) : percolate_allocate(size);
}

static void *allocate_or_throw(size_t alignment, size_t size) {
    void *block;
    while (!(block = allocate(alignment, size))) {
        handler current = new_handler();
        if (!current) throw_bad_alloc();
        current();
    }
    return block;
}

void *percolate_new_slow(size_t size) { return allocate_or_throw(0, size); }

/// The handler of a nothrow form may throw: libstdc++'s own form calls the throwing one and catches.
void *percolate_new_nothrow_slow(size_t size, const void *tag) {
    void *block = percolate_allocate(size);
    if (block || !new_handler()) return block;
    void *(*next)(size_t, const void *) =
        (void *(*)(size_t, const void *))percolate_next_cxx_function("_ZnwmRKSt9nothrow_t");
    return next ? next(size, tag) : NULL;
}

void *percolate_new_aligned(size_t size, size_t alignment) { return allocate_or_throw(alignment, size); }
EXPORTED void *_ZnwmSt11align_val_t(size_t, size_t) __attribute__((alias("percolate_new_aligned")));
__attribute__((visibility("hidden"))) void *percolate_own_ZnwmSt11align_val_t(size_t, size_t)
    __attribute__((alias("percolate_new_aligned")));

void *percolate_new_aligned_nothrow(size_t size, size_t alignment, const void *tag) {
    void *block = percolate_allocate_aligned(alignment, size);
    if (block || !new_handler()) return block;
    void *(*next)(size_t, size_t, const void *) =
        (void *(*)(size_t, size_t, const void *))percolate_next_cxx_function("_ZnwmSt11align_val_tRKSt9nothrow_t");
    return next ? next(size, alignment, tag) : NULL;
}

void percolate_delete_sized_aligned(void *block, size_t size, size_t alignment) {
    percolate_deallocate_sized(block, size, alignment);
}
