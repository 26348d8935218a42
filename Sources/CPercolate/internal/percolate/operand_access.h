#ifndef PERCOLATE_OPERAND_ACCESS_H
#define PERCOLATE_OPERAND_ACCESS_H

/// The memory accesses of operation vectors: what Swift cannot say about the width and the order of
/// an access.
///
/// A load or store of 1, 2, 4 or 8 bytes is one volatile access of that width, hence one
/// instruction on the architectures we serve, and single-copy atomic when the address is naturally
/// aligned. The types have alignment one because arithmetic operands need not be aligned.

#include <stdint.h>

typedef uint16_t percolate_unaligned_16 __attribute__((aligned(1), may_alias));
typedef uint32_t percolate_unaligned_32 __attribute__((aligned(1), may_alias));
typedef uint64_t percolate_unaligned_64 __attribute__((aligned(1), may_alias));

/// The integer of `len` bytes at `address`. `len` is 1, 2, 4 or 8.
static inline uint64_t percolate_operand_load(uint64_t address, uint32_t len) {
    switch (len) {
    case 1: return *(const volatile uint8_t *)(uintptr_t)address;
    case 2: return *(const volatile percolate_unaligned_16 *)(uintptr_t)address;
    case 4: return *(const volatile percolate_unaligned_32 *)(uintptr_t)address;
    default: return *(const volatile percolate_unaligned_64 *)(uintptr_t)address;
    }
}

/// Stores the low `len` bytes of `value` at `address`. `len` is 1, 2, 4 or 8.
static inline void percolate_operand_store(uint64_t address, uint64_t value, uint32_t len) {
    switch (len) {
    case 1: *(volatile uint8_t *)(uintptr_t)address = (uint8_t)value; break;
    case 2: *(volatile percolate_unaligned_16 *)(uintptr_t)address = (uint16_t)value; break;
    case 4: *(volatile percolate_unaligned_32 *)(uintptr_t)address = (uint32_t)value; break;
    default: *(volatile percolate_unaligned_64 *)(uintptr_t)address = value; break;
    }
}

/// As `percolate_operand_store`, ordered after everything before it. An unaligned address gets a
/// barrier instead of a store-release, which the hardware offers for aligned ones only.
static inline void percolate_operand_store_release(uint64_t address, uint64_t value, uint32_t len) {
    if (address & (len - 1)) {
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        percolate_operand_store(address, value, len);
        return;
    }
    switch (len) {
    case 1: __atomic_store_n((uint8_t *)(uintptr_t)address, (uint8_t)value, __ATOMIC_RELEASE); break;
    case 2: __atomic_store_n((uint16_t *)(uintptr_t)address, (uint16_t)value, __ATOMIC_RELEASE); break;
    case 4: __atomic_store_n((uint32_t *)(uintptr_t)address, (uint32_t)value, __ATOMIC_RELEASE); break;
    default: __atomic_store_n((uint64_t *)(uintptr_t)address, value, __ATOMIC_RELEASE); break;
    }
}

/// Copies ranges for which no width is promised. They may overlap.
static inline void percolate_operand_copy(uint64_t destination, uint64_t source, uint32_t len) {
    __builtin_memmove((void *)(uintptr_t)destination, (const void *)(uintptr_t)source, len);
}

/// Whether two ranges for which no width is promised hold the same bytes.
static inline int percolate_operand_equal(uint64_t a, uint64_t b, uint32_t len) {
    return __builtin_memcmp((const void *)(uintptr_t)a, (const void *)(uintptr_t)b, len) == 0;
}

/// Orders memory accesses for the compiler, which the operations of a vector are to each other.
static inline void percolate_compiler_barrier(void) { __atomic_signal_fence(__ATOMIC_SEQ_CST); }

/// A full barrier of the hardware.
static inline void percolate_memory_barrier(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

#endif
