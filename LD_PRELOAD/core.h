/// The core's entry points (Sources/Core/Heap/EntryPoints.swift), as C sees them.
#ifndef PERCOLATE_CORE_H
#define PERCOLATE_CORE_H

#include <percolate/process.h>
#include <stdbool.h>
#include <stddef.h>

#pragma GCC visibility push(hidden)
void *percolate_allocate(size_t size);
void *percolate_allocate_zeroed(size_t size);
void *percolate_allocate_aligned(size_t alignment, size_t size);
void percolate_deallocate(void *block);
void percolate_deallocate_sized(void *block, size_t size, size_t alignment);
void *percolate_resize(void *block, size_t size, size_t *usable);
size_t percolate_usable_size(const void *block);
bool percolate_trim(void);
void percolate_memory_figures(struct percolate_memory *figures);
bool percolate_write_statistics(int descriptor);
void percolate_end(void);
void percolate_fork_prepare(void);
void percolate_fork_parent(void);
void percolate_fork_child(void);
void percolate_vfork_started(void);
void percolate_vfork_ended(void);
#pragma GCC visibility pop
#endif
