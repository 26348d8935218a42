/// What unwinding a stack needs from outside Swift. Nothing here allocates or takes a lock; all of
/// it is safe in signal handlers.
#ifndef PERCOLATE_FRAMES_H
#define PERCOLATE_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "layout.h"
#include "syscalls.h"

/// The loaded object that an address belongs to.
struct percolate_object {
    /// Its mapped range.
    uintptr_t start, end;
    /// The contents of its PT_GNU_EH_FRAME segment: the header and search table of its unwinding
    /// information.
    uintptr_t frame_header;
    /// What its addresses were moved by, and its file name, "" for the program.
    uintptr_t bias;
    const char *name;
};

/// `_dl_find_object` of libc, which start-up looks up (`percolate_look_up_libc`); NULL before glibc
/// 2.35. The result is a `struct dl_find_object`.
extern int (*percolate_dl_find_object)(void *address, void *result) PERCOLATE_HIDDEN PERCOLATE_SHARED;

/// The object of `address`. False where there is none, and where libc does not say.
bool percolate_find_object(uintptr_t address, struct percolate_object *object) PERCOLATE_HIDDEN;

struct percolate_symbol {
    uintptr_t address;
    const char *name;
};

/// The exported function that `address` belongs to, from the object's table of dynamic symbols.
/// False where there is none.
bool percolate_find_symbol(uintptr_t address, struct percolate_symbol *symbol) PERCOLATE_HIDDEN;

/// Whether the shared object is what this code is part of: then its frames are the allocator's own.
bool percolate_is_shared_object(void) PERCOLATE_HIDDEN;

/// The frame of the calling function: the caller's frame pointer lies there, and the return address
/// behind it.
static inline __attribute__((always_inline)) uintptr_t percolate_frame_address(void) {
    return (uintptr_t)__builtin_frame_address(0);
}

/// The address of code that a return address from a stack stands for. On AArch64 one may be signed
/// in its upper bits.
static inline uintptr_t percolate_code_address(uintptr_t address) {
#if defined(__aarch64__)
    register uintptr_t x30 __asm__("x30") = address;
    // xpaclri, which does nothing where addresses are not signed.
    __asm__("hint #7" : "+r"(x30));
    return x30;
#else
    return address;
#endif
}

/// Whether the 8 bytes at `address` can be read. The kernel reads a signal set there, and refuses
/// what is to be done with it (sigprocmask(2): EFAULT or EINVAL).
static inline bool percolate_is_readable(uintptr_t address) {
    return percolate_syscall6(SYS_rt_sigprocmask, ~0, (long)address, 0, 8, 0, 0) == -EINVAL;
}

static inline uint8_t percolate_load8(uintptr_t address) { return *(const uint8_t *)address; }
static inline uint64_t percolate_load64(uintptr_t address) {
    uint64_t value;
    __builtin_memcpy(&value, (const void *)address, sizeof value);
    return value;
}
static inline uint32_t percolate_load32(uintptr_t address) {
    uint32_t value;
    __builtin_memcpy(&value, (const void *)address, sizeof value);
    return value;
}
static inline uint16_t percolate_load16(uintptr_t address) {
    uint16_t value;
    __builtin_memcpy(&value, (const void *)address, sizeof value);
    return value;
}
#endif
