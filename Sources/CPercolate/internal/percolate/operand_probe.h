#ifndef PERCOLATE_OPERAND_PROBE_H
#define PERCOLATE_OPERAND_PROBE_H

/// Asks the kernel whether memory of this process can be accessed, without a signal when it cannot.
///
/// None of these allocates, takes a lock of user space or changes `errno`; all may be called in
/// signal handlers.

#include <stdint.h>

/// Whether the byte at `address` can be read. Demand-zero pages are mapped by the question. Costs a
/// quarter of a microsecond.
int percolate_probe_read(uint64_t address);

/// Whether the byte at `address` can be written. Copy-on-write is resolved by the question. The
/// four bytes around it keep their value, and no concurrent store to them is lost. Costs half a
/// microsecond.
int percolate_probe_write(uint64_t address);

/// What became of a fetch.
enum percolate_fetch {
    PERCOLATE_FETCHED = 0,
    /// A byte of the range cannot be accessed.
    PERCOLATE_FETCH_FAULTED = 1,
    /// The kernel refuses this way of reading (an old kernel, a seccomp filter).
    PERCOLATE_FETCH_REFUSED = 2,
};

/// Copies `len` bytes from `source` to `destination` and survives either of them being unmapped
/// meanwhile. Costs two microseconds.
enum percolate_fetch percolate_fetch(uint64_t destination, uint64_t source, uint32_t len);

/// Compares `len` bytes at `a` and `b`, and survives either of them being unmapped meanwhile.
/// `*equal` has a meaning only after `PERCOLATE_FETCHED`.
enum percolate_fetch percolate_fetch_and_compare(uint64_t a, uint64_t b, uint32_t len, int *equal);

#endif
