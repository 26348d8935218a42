/// The operators that C++ defines by another one: `operator delete(void *, size_t)` calls `operator
/// delete(void *)`, and so on. A program may replace the latter alone, so the former must find it,
/// and not the heap behind it.
///
/// Whether one is replaced is what the loader made of its name: a reference to it from here is the
/// program's. Where this library was loaded with dlopen, a reference to the derived operator itself
/// is not this library's, and none is followed.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core.h"

typedef size_t alignment;
typedef const void *tag;

void *_Znwm(size_t);
void *_ZnwmSt11align_val_t(size_t, alignment);
void *_Znam(size_t);
void *_ZnamSt11align_val_t(size_t, alignment);
void *_ZnwmRKSt9nothrow_t(size_t, tag);
void *_ZnamRKSt9nothrow_t(size_t, tag);
void *_ZnwmSt11align_val_tRKSt9nothrow_t(size_t, alignment, tag);
void *_ZnamSt11align_val_tRKSt9nothrow_t(size_t, alignment, tag);
void _ZdlPv(void *);
void _ZdlPvSt11align_val_t(void *, alignment);
void _ZdaPv(void *);
void _ZdaPvSt11align_val_t(void *, alignment);
void _ZdlPvm(void *, size_t);
void _ZdaPvm(void *, size_t);
void _ZdlPvRKSt9nothrow_t(void *, tag);
void _ZdaPvRKSt9nothrow_t(void *, tag);
void _ZdlPvSt11align_val_tRKSt9nothrow_t(void *, alignment, tag);
void _ZdaPvSt11align_val_tRKSt9nothrow_t(void *, alignment, tag);
void _ZdlPvmSt11align_val_t(void *, size_t, alignment);
void _ZdaPvmSt11align_val_t(void *, size_t, alignment);

#define HIDDEN __attribute__((visibility("hidden")))

/// 1 until the first derived operator has looked, and for good where one of those that others are
/// defined by is replaced. A cache line of its own: the fast paths read it.
HIDDEN _Alignas(64) uint8_t percolate_operators_differ[64] = {1};

/// Hides from the compiler that two names may be one function.
static inline void *address(void *function) {
    __asm__("" : "+r"(function));
    return function;
}

#define IS_OWN(name)                                                                                                 \
    ({                                                                                                               \
        extern HIDDEN char percolate_own##name[];                                                                    \
        address((void *)name) == address(percolate_own##name);                                                       \
    })

static bool new_differs(void) { return !IS_OWN(_Znwm); }
static bool new_array_differs(void) { return !IS_OWN(_Znam) || new_differs(); }
static bool new_aligned_differs(void) { return !IS_OWN(_ZnwmSt11align_val_t); }
static bool new_array_aligned_differs(void) { return !IS_OWN(_ZnamSt11align_val_t) || new_aligned_differs(); }
static bool delete_differs(void) { return !IS_OWN(_ZdlPv); }
static bool delete_array_differs(void) { return !IS_OWN(_ZdaPv) || delete_differs(); }
static bool delete_aligned_differs(void) { return !IS_OWN(_ZdlPvSt11align_val_t); }
static bool delete_array_aligned_differs(void) { return !IS_OWN(_ZdaPvSt11align_val_t) || delete_aligned_differs(); }

__attribute__((noinline)) static void look(void) {
    bool differ = new_array_differs() || new_array_aligned_differs() || delete_array_differs() || delete_array_aligned_differs();
    if (!differ) __atomic_store_n(&percolate_operators_differ[0], 0, __ATOMIC_RELAXED);
}

/// The C++ library's nothrow form, which calls the program's throwing one and catches.
#define NOTHROW(name, otherwise, parameters, ...)                                                                    \
    ({                                                                                                               \
        static void *(*known)parameters;                                                                             \
        void *(*next)parameters = __atomic_load_n(&known, __ATOMIC_RELAXED);                                         \
        if (!next) {                                                                                                 \
            next = (void *(*)parameters)percolate_next_cxx_function(#name);                                          \
            __atomic_store_n(&known, next, __ATOMIC_RELAXED);                                                        \
        }                                                                                                            \
        next ? next(__VA_ARGS__) : otherwise;                                                                        \
    })

#define DERIVED(result, name, parameters, differs, replaced, own)                                                    \
    HIDDEN result percolate_derived##name parameters {                                                               \
        look();                                                                                                      \
        if (IS_OWN(name) && differs()) return replaced;                                                              \
        return own;                                                                                                  \
    }

DERIVED(void *, _Znam, (size_t n), new_differs, _Znwm(n), percolate_new(n))
DERIVED(void *, _ZnamSt11align_val_t, (size_t n, alignment a), new_aligned_differs, _ZnwmSt11align_val_t(n, a),
        percolate_new_aligned(n, a))
DERIVED(void *, _ZnwmRKSt9nothrow_t, (size_t n, tag t), new_differs,
        NOTHROW(_ZnwmRKSt9nothrow_t, _Znwm(n), (size_t, tag), n, t), percolate_new_nothrow(n, t))
DERIVED(void *, _ZnamRKSt9nothrow_t, (size_t n, tag t), new_array_differs,
        NOTHROW(_ZnamRKSt9nothrow_t, _Znam(n), (size_t, tag), n, t), percolate_new_nothrow(n, t))
DERIVED(void *, _ZnwmSt11align_val_tRKSt9nothrow_t, (size_t n, alignment a, tag t), new_aligned_differs,
        NOTHROW(_ZnwmSt11align_val_tRKSt9nothrow_t, _ZnwmSt11align_val_t(n, a), (size_t, alignment, tag), n, a, t),
        percolate_new_aligned_nothrow(n, a, t))
DERIVED(void *, _ZnamSt11align_val_tRKSt9nothrow_t, (size_t n, alignment a, tag t), new_array_aligned_differs,
        NOTHROW(_ZnamSt11align_val_tRKSt9nothrow_t, _ZnamSt11align_val_t(n, a), (size_t, alignment, tag), n, a, t),
        percolate_new_aligned_nothrow(n, a, t))

DERIVED(void, _ZdaPv, (void *p), delete_differs, _ZdlPv(p), percolate_own_free(p))
DERIVED(void, _ZdlPvRKSt9nothrow_t, (void *p, tag t), delete_differs, _ZdlPv(p), percolate_own_free(p))
DERIVED(void, _ZdaPvRKSt9nothrow_t, (void *p, tag t), delete_array_differs, _ZdaPv(p), percolate_own_free(p))
DERIVED(void, _ZdlPvm, (void *p, size_t n), delete_differs, _ZdlPv(p), percolate_own_free_sized(p, n))
DERIVED(void, _ZdaPvm, (void *p, size_t n), delete_array_differs, _ZdaPv(p), percolate_own_free_sized(p, n))
DERIVED(void, _ZdaPvSt11align_val_t, (void *p, alignment a), delete_aligned_differs, _ZdlPvSt11align_val_t(p, a),
        percolate_delete_aligned(p, a))
DERIVED(void, _ZdlPvSt11align_val_tRKSt9nothrow_t, (void *p, alignment a, tag t), delete_aligned_differs,
        _ZdlPvSt11align_val_t(p, a), percolate_delete_aligned(p, a))
DERIVED(void, _ZdaPvSt11align_val_tRKSt9nothrow_t, (void *p, alignment a, tag t), delete_array_aligned_differs,
        _ZdaPvSt11align_val_t(p, a), percolate_delete_aligned(p, a))
DERIVED(void, _ZdlPvmSt11align_val_t, (void *p, size_t n, alignment a), delete_aligned_differs,
        _ZdlPvSt11align_val_t(p, a), percolate_delete_sized_aligned(p, n, a))
DERIVED(void, _ZdaPvmSt11align_val_t, (void *p, size_t n, alignment a), delete_array_aligned_differs,
        _ZdaPvSt11align_val_t(p, a), percolate_delete_sized_aligned(p, n, a))
