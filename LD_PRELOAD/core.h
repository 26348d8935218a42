/// The core's entry points (Sources/Core/Entry), as C sees them.
#ifndef PERCOLATE_CORE_H
#define PERCOLATE_CORE_H

#include <percolate/heap_interface.h>
#include <percolate/process.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#pragma GCC visibility push(hidden)
void *percolate_allocate(size_t size);
void *percolate_allocate_zeroed(size_t size);
void *percolate_allocate_aligned(size_t alignment, size_t size);
void *percolate_allocate_aligned_zeroed(size_t alignment, size_t size);
size_t percolate_block_size(size_t alignment, size_t size);
void *percolate_consider_sample(size_t size, void *block, uint64_t slab, uint64_t size_class, bool is_first);
void percolate_deallocate(void *block);
void percolate_deallocate_marked(void *block);
void percolate_deallocate_aligned(void *block, size_t alignment);
void percolate_deallocate_sized(void *block, size_t size, size_t alignment);
void *percolate_resize(void *block, size_t size, size_t *usable);
bool percolate_resize_in_place(void *block, size_t size);
bool percolate_owns(const void *block);
size_t percolate_usable_size(const void *block);
bool percolate_trim(void);
bool percolate_trim_if_due(void);
int percolate_harden_heap(int level);
void percolate_set_memory_limit(uint64_t bytes);
void percolate_set_release(uint32_t policy);
void percolate_set_background(bool is_wanted);
void percolate_set_soft_memory_limit(uint64_t bytes);
/// The process is about to limit its addresses to so many bytes.
void percolate_give_up_reservation(uint64_t limit);
/// The process is about to restrict its system calls.
void percolate_prepare_restriction(void);
void percolate_process_figures(struct percolate_process_figures *figures);
size_t percolate_class_figures(struct percolate_class_figures *figures, size_t capacity);
size_t percolate_cpu_figures(struct percolate_cpu_figures *figures, size_t capacity);
/// Of one size class, or one index, below their number.
void percolate_one_class_figures(struct percolate_class_figures *figures, size_t position);
void percolate_one_cpu_figures(struct percolate_cpu_figures *figures, size_t index);
/// Whether the scope is one that counts.
bool percolate_is_counting(const struct percolate_counting_scope *scope);
void percolate_begin_counting(struct percolate_counting_scope *scope);
void percolate_end_counting(struct percolate_counting_scope *scope);
void percolate_write_statistics(int descriptor);
/// `format` is an `enum percolate_statistics_format`. 0, or an error number.
int percolate_write_statistics_as(int descriptor, int format);
bool percolate_write_statistics_xml(
    ssize_t (*take)(void *context, const char *text, ssize_t count), void *context);
bool percolate_set_sampling(uint64_t rate, uint64_t guard_rate);
bool percolate_set_sample_rate(uint64_t rate);
uint64_t percolate_sample_rate(void);
int percolate_count_cpus(void);
bool percolate_knows_mm_cid(void);
/// Writes the heap profile to a file, in jemalloc's format. 0, or an error number.
int percolate_write_profile(const char *path);
/// Forgets what was sampled so far; totals stay.
void percolate_reset_samples(void);
/// The mean number of bytes between samples that the options asked for; 0 for none.
uint64_t percolate_mean_at_start(void);
/// Before code is loaded, perhaps where other code was.
void percolate_forget_frame_rules(void);
void percolate_end(void);
bool percolate_scavenger_is_wanted(void);
void percolate_scavenge(void);
void percolate_stop_scavenger(void);
void percolate_allow_scavenger(void);
void percolate_fork_prepare(void);
void percolate_fork_parent(void);
void percolate_fork_child(void);
void percolate_vfork_started(void);
void percolate_vfork_ended(void);

/// The entry points of this very object, whatever another library or the program makes of their
/// names.
void *percolate_own_malloc(size_t size);
void *percolate_own_realloc(void *block, size_t size);
void percolate_own_free(void *block);
/// As realloc for a block that exists, but a size of 0 gives a block.
void *percolate_own_reallocate(void *block, size_t size);
void percolate_own_free_sized(void *block, size_t size);

void *percolate_own_reallocarray(void *block, size_t count, size_t size);
void *percolate_new(size_t size);
void *percolate_new_nothrow(size_t size, const void *tag);
void *percolate_new_aligned(size_t size, size_t alignment);
void *percolate_new_aligned_nothrow(size_t size, size_t alignment, const void *tag);
void percolate_delete_aligned(void *block, size_t alignment);
void percolate_delete_sized_aligned(void *block, size_t size, size_t alignment);
/// Ends the scavenger, or lets it be made; makes it where the process has threads.
void percolate_enable_scavenger(bool is_wanted);
bool percolate_scavenger_lives(void);
/// The C++ library's own form of a function that this library exports too, NULL where there is
/// none.
void *percolate_next_cxx_function(const char *name);
#pragma GCC visibility pop

/// What every alignment must be.
static inline bool percolate_is_power_of_two(size_t value) { return value != 0 && (value & (value - 1)) == 0; }
#endif
