/// dlopen and dlmopen: libc's own, without RTLD_DEEPBIND.
///
/// A library that is loaded with that flag finds libc's malloc before the preloaded one, while
/// everything that it exchanges blocks with uses the preloaded one: the first block that is freed
/// on the other side ends the process. PHP loads its extensions so. Without the flag all of them
/// use Percolate; the price is that a name which both the library and the program define is the
/// program's.
///
/// Code that is loaded now may lie where other code was, so the rules of that code's frames are
/// forgotten.
///
/// A namespace of its own has a libc of its own, with that libc's malloc, so dlmopen keeps the flag
/// there.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>

#include "core.h"
#include "libc_function.h"

typedef void *(*open_function)(const char *, int);
typedef void *(*open_in_namespace_function)(Lmid_t, const char *, int);

/// The call is a jump: libc sees the caller's return address, by which it chooses the namespace and
/// the RUNPATH (dlopen(3)).
__attribute__((visibility("default"))) void *dlopen(const char *file, int mode) {
    static _Atomic(open_function) next;
    open_function open = atomic_load_explicit(&next, memory_order_relaxed);
    if (!open) {
        open = PERCOLATE_NEXT(dlopen);
        if (!open) return NULL;
        atomic_store_explicit(&next, open, memory_order_relaxed);
    }
    percolate_forget_frame_rules();
    __attribute__((musttail)) return open(file, mode & ~RTLD_DEEPBIND);
}

__attribute__((visibility("default"))) void *dlmopen(Lmid_t namespace, const char *file, int mode) {
    static _Atomic(open_in_namespace_function) next;
    open_in_namespace_function open = atomic_load_explicit(&next, memory_order_relaxed);
    if (!open) {
        open = PERCOLATE_NEXT(dlmopen);
        if (!open) return NULL;
        atomic_store_explicit(&next, open, memory_order_relaxed);
    }
    if (namespace == LM_ID_BASE) mode &= ~RTLD_DEEPBIND;
    percolate_forget_frame_rules();
    __attribute__((musttail)) return open(namespace, file, mode);
}
