/// C++ allocation that the fast path could not serve, and its aligned forms, without depending on a
/// C++ library: what only that has (the new-handler, std::bad_alloc) is looked up in the process
/// when memory is out.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "core.h"
#include "libc_function.h"

#define EXPORTED __attribute__((visibility("default")))

typedef void (*handler)(void);

/// A function of the C++ library of `caller`, a return address, NULL where there is none. `scope`
/// is searched first. The library may be out of sight of it: the dependency of a plug-in that was
/// loaded with RTLD_LOCAL, or linked into one (-static-libstdc++).
static void *cxx_function_in(void *scope, const char *name, const void *caller) {
    Dl_info plug_in;
    const char *libraries[] = {NULL, "libstdc++.so.6", "libc++.so.1"};
    void *function = percolate_dlsym(scope, name);
    if (function) return function;
    __typeof__(&dladdr) find_library = PERCOLATE_NEXT(dladdr);
    __typeof__(&dlclose) give_back = PERCOLATE_NEXT(dlclose);
    if (!find_library || !give_back) return NULL;
    if (caller && find_library(caller, &plug_in)) libraries[0] = plug_in.dli_fname;
    for (size_t index = 0; !function && index < sizeof libraries / sizeof libraries[0]; index++) {
        void *library = libraries[index] ? dlopen(libraries[index], RTLD_NOW | RTLD_NOLOAD) : NULL;
        if (!library) continue;
        function = percolate_dlsym(library, name);
        give_back(library);
    }
    return function;
}

static void *cxx_function(const char *name, const void *caller) { return cxx_function_in(RTLD_DEFAULT, name, caller); }

/// The C++ library's own form of a function that this library exports too.
void *percolate_next_cxx_function(const char *name) { return cxx_function_in(RTLD_NEXT, name, NULL); }

/// The current new-handler (std::get_new_handler), NULL when there is none.
static handler new_handler(const void *caller) {
    handler (*get)(void) = (handler(*)(void))cxx_function("_ZSt15get_new_handlerv", caller);
    return get ? get() : NULL;
}

/// Throws std::bad_alloc, by libstdc++ or libc++. A plug-in with a library of its own may have no
/// more of it than an operator new, which throws where no block can be as large. A program without
/// either cannot catch it and ends.
__attribute__((noreturn)) static void throw_bad_alloc(const void *caller) {
    static const char *const names[] = {"_ZSt17__throw_bad_allocv", "_ZNSt3__117__throw_bad_allocEv"};
    for (size_t index = 0; index < sizeof names / sizeof names[0]; index++) {
        void (*throwing)(void) = (void (*)(void))cxx_function(names[index], caller);
        if (throwing) throwing();
    }
    void *(*own)(size_t) = (void *(*)(size_t))cxx_function_in(RTLD_NEXT, "_Znwm", caller);
    if (own) own(SIZE_MAX);
    static const char line[] = "percolate: operator new: no memory, and no C++ library to throw std::bad_alloc\n";
    (void)!write(2, line, sizeof line - 1);
    abort();
}

static void *allocate(size_t alignment, size_t size) {
    return alignment ? percolate_allocate_aligned(alignment, size) : percolate_allocate(size);
}

static void *allocate_or_throw(size_t alignment, size_t size, const void *caller) {
    void *block;
    while (!(block = allocate(alignment, size))) {
        handler current = new_handler(caller);
        if (!current) throw_bad_alloc(caller);
        current();
    }
    return block;
}

/// The fast path comes here by a jump: the return address is that of operator new's caller.
void *percolate_new_slow(size_t size) { return allocate_or_throw(0, size, __builtin_return_address(0)); }

/// The handler of a nothrow form may throw: libstdc++'s own form calls the throwing one and
/// catches.
void *percolate_new_nothrow_slow(size_t size, const void *tag) {
    void *block = percolate_allocate(size);
    if (block || !new_handler(__builtin_return_address(0))) return block;
    void *(*next)(size_t, const void *) =
        (void *(*)(size_t, const void *))cxx_function_in(
            RTLD_NEXT, "_ZnwmRKSt9nothrow_t", __builtin_return_address(0));
    return next ? next(size, tag) : NULL;
}

/// An alignment that is no power of two is nobody's: libstdc++ fails for it as for a size that
/// cannot be had.
void *percolate_new_aligned(size_t size, size_t alignment) {
    const void *caller = __builtin_return_address(0);
    if (!percolate_is_power_of_two(alignment)) throw_bad_alloc(caller);
    return allocate_or_throw(alignment, size, caller);
}
EXPORTED void *_ZnwmSt11align_val_t(size_t, size_t) __attribute__((alias("percolate_new_aligned")));
__attribute__((visibility("hidden"))) void *percolate_own_ZnwmSt11align_val_t(size_t, size_t)
    __attribute__((alias("percolate_new_aligned")));

void *percolate_new_aligned_nothrow(size_t size, size_t alignment, const void *tag) {
    if (!percolate_is_power_of_two(alignment)) return NULL;
    void *block = percolate_allocate_aligned(alignment, size);
    if (block || !new_handler(__builtin_return_address(0))) return block;
    void *(*next)(size_t, size_t, const void *) =
        (void *(*)(size_t, size_t, const void *))cxx_function_in(
            RTLD_NEXT, "_ZnwmSt11align_val_tRKSt9nothrow_t", __builtin_return_address(0));
    return next ? next(size, alignment, tag) : NULL;
}
