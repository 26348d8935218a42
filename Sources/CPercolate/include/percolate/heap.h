#ifndef PERCOLATE_HEAP_H
#define PERCOLATE_HEAP_H

/// The heap of this process: what it holds, what it may use, and what a piece of code allocates.
///
/// The heap is that of the shared object, linked (`-lpercolate_malloc`), preloaded or loaded by
/// dlopen(3). Where it serves malloc(3) the figures are of everything that the process allocates. A
/// program that shall run without the library as well:
///
///     #define PERCOLATE_HEAP_IS_OPTIONAL
///     #include <percolate/heap.h>
///
///     if (percolate_heap_trim) percolate_heap_trim();
///
/// Any thread may call these functions, at any time; where nothing else is said, signal handlers
/// may not.

#include <percolate/hardening.h>
#include <percolate/heap_counting.h>
#include <percolate/heap_figures.h>
#include <percolate/heap_function.h>
#include <percolate/heap_profile.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// 1 where malloc(3) of the process is the heap's, 0 where it is another allocator's.
PERCOLATE_HEAP_FUNCTION int percolate_heap_serves_malloc(void);

// MARK: Statistics

/// Fills in the first `size` bytes of the figures: give `sizeof *figures`. A library that knows
/// fewer figures than its caller leaves 0 in the others.
PERCOLATE_HEAP_FUNCTION void percolate_heap_figures(struct percolate_process_figures *figures,
                                                    size_t size);

/// Fills in at most `capacity` records of `size` bytes, one for each size class, by block size.
/// Returns how many classes there are, also where `figures` is null. Classes that are not used have
/// no spans.
PERCOLATE_HEAP_FUNCTION size_t percolate_heap_class_figures(struct percolate_class_figures *figures,
                                                            size_t size, size_t capacity);

/// The same for the indexes of caches.
PERCOLATE_HEAP_FUNCTION size_t percolate_heap_cpu_figures(struct percolate_cpu_figures *figures,
                                                          size_t size, size_t capacity);

/// How statistics are written.
enum percolate_statistics_format {
    /// Lines and tables, for people.
    PERCOLATE_STATISTICS_TEXT = 0,
    /// One JSON object.
    PERCOLATE_STATISTICS_JSON = 1,
    /// What Prometheus reads.
    PERCOLATE_STATISTICS_PROMETHEUS = 2,
};

/// Writes all statistics to a file descriptor. Allocates nothing.
///
/// Returns 0, or -1 with errno: EINVAL for a format that does not exist, or what write(2) said.
PERCOLATE_HEAP_FUNCTION int percolate_heap_write_statistics(int descriptor, int format);

// MARK: Memory

/// Empties the caches of all CPUs, and gives every free page back to the kernel. Returns 1 when any
/// page went back, else 0.
///
/// The heap gives pages back by itself; this is for moments after which little will be allocated.
/// It interrupts the other CPUs, and what is allocated next is slower.
PERCOLATE_HEAP_FUNCTION int percolate_heap_trim(void);

/// Limits the bytes of pages in use, in whole pages; UINT64_MAX for no limit.
///
/// An allocation that needs pages beyond the limit fails like one for which the kernel has no
/// memory: malloc(3) returns NULL with ENOMEM. Pages that are in use above a new limit stay. Not
/// counted are free pages that wait for reuse, and the heap's own tables.
PERCOLATE_HEAP_FUNCTION void percolate_heap_set_limit(uint64_t bytes);

/// Sets the bytes of resident pages above which free ones go back to the kernel at once; UINT64_MAX
/// for no such target. What is free above it goes back now. A heap that needs more gets it.
PERCOLATE_HEAP_FUNCTION void percolate_heap_set_soft_limit(uint64_t bytes);

// MARK: Counting

/// Counts from here on, exactly, what all threads allocate and free. Scopes may nest and overlap.
/// While one counts, every operation takes a slow path, some ten times slower.
///
/// A scope that counts already ends the process, with a line that says so.
PERCOLATE_HEAP_FUNCTION void percolate_heap_begin_counting(struct percolate_counting_scope *scope);

/// Stops counting; the scope keeps its figures. Any thread may end it. A scope that does not count
/// ends the process, with a line that says so.
PERCOLATE_HEAP_FUNCTION void percolate_heap_end_counting(struct percolate_counting_scope *scope);

// MARK: Blocks

// For programs whose malloc(3) is another allocator's. Where it is the heap's, blocks of both may
// be freed by either.

/// A block of at least `size` bytes whose address is a multiple of `alignment`, a power of two.
/// Null with errno: EINVAL for another alignment, ENOMEM where there is no memory, or where the
/// limit does not allow it.
PERCOLATE_HEAP_FUNCTION void *percolate_heap_allocate(size_t alignment, size_t size);

/// The same, all bytes 0.
PERCOLATE_HEAP_FUNCTION void *percolate_heap_allocate_zeroed(size_t alignment, size_t size);

/// As realloc(3), except that a size of 0 gives a block. Keeps an alignment of 16.
PERCOLATE_HEAP_FUNCTION void *percolate_heap_reallocate(void *block, size_t size);

/// As free(3). May be called in signal handlers, as all functions of blocks may.
PERCOLATE_HEAP_FUNCTION void percolate_heap_deallocate(void *block);

/// As free_aligned_sized(3): with a size and an alignment that belong to another size class than
/// were asked for, the process ends with a line that says so.
PERCOLATE_HEAP_FUNCTION void percolate_heap_deallocate_sized(void *block, size_t alignment,
                                                             size_t size);

/// The bytes of a block, at least as many as were asked for: all of them may be used. 0 for null.
PERCOLATE_HEAP_FUNCTION size_t percolate_heap_block_size(const void *block);

#ifdef __cplusplus
}
#endif

#endif
