#ifndef PERCOLATE_PERCPU_POOL_H
#define PERCOLATE_PERCPU_POOL_H

/// Memory with a part for each CPU: pools of items of one size.
///
/// An item is the address of its part 0; the part of index i lies i strides behind it. The parts of
/// many items of one CPU lie side by side, so that a counter takes eight bytes for each CPU, not a
/// cache line, and no CPU's data shares a page with another's. A CPU's pages exist once something
/// is written to its parts, near the CPU that does.
///
///     struct percpu_pool *pool = PERCPU_POOL_OF(struct totals, PERCPU_CPU_ID);
///     struct totals *totals = PERCPU_ALLOCATE(pool, struct totals);
///     int cpu = percpu_current(pool->by);
///     percpu_addv(&PERCPU_PART(pool, totals, cpu)->bytes, length, cpu);

#include <percolate/percpu_index.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Bytes from one part of an item to the next, where nothing else is asked for.
#define PERCPU_STRIDE 65536

/// What may be read of a pool; nobody but the library writes it.
struct percpu_pool {
    /// Bytes of an item's part: as many as were asked for.
    size_t item_size;
    /// The stride is 1 << stride_shift bytes.
    unsigned stride_shift;
    /// How many parts an item has.
    int count;
    /// What the parts belong to. CPU numbers, too, where ids were asked for and the kernel has
    /// none.
    enum percpu_index by;
};

/// A pool of items of `item_size` bytes in each part. `stride` is a power of two, at least a page
/// and `item_size`; 0 stands for PERCPU_STRIDE, or the next power of two that has room.
///
/// Null with errno: EINVAL for sizes that do not fit, ENOMEM.
struct percpu_pool *percpu_pool_create(size_t item_size, size_t stride, enum percpu_index by);

/// Gives back the pool with all its items. Nobody may use it any more. Null is allowed.
void percpu_pool_destroy(struct percpu_pool *pool);

/// An item, whose parts are 0 and aligned to the largest power of two, up to 64, that is not above
/// `item_size`. Null with ENOMEM.
///
/// May be called from any thread, in signal handlers and after fork(2): pools have no lock.
void *percpu_pool_allocate(struct percpu_pool *pool);

/// Gives an item back. Nobody may operate on it any more. Null is allowed. An address that is no
/// item of the pool, and an item that was freed, end the process with a line that says so. May be
/// called wherever `percpu_pool_allocate` may.
void percpu_pool_free(struct percpu_pool *pool, void *item);

#ifdef __cplusplus
}
#endif

/// The part of `item` that belongs to `index`, which is below the pool's count.
static inline void *percpu_part(const struct percpu_pool *pool, const void *item, int index) {
    return (void *)((uintptr_t)item + ((uintptr_t)(unsigned)index << pool->stride_shift));
}

/// The same, of the item's type.
#define PERCPU_PART(pool, item, index) ((__typeof__((item) + 0))percpu_part(pool, item, index))

/// A pool for items of a type, and an item of it. The item is null with EINVAL where the pool's
/// items are too small.
#define PERCPU_POOL_OF(type, by) percpu_pool_create(sizeof(type), 0, by)
#define PERCPU_ALLOCATE(pool, type) ((type *)percpu_pool_allocate_at_least(pool, sizeof(type)))

static inline void *percpu_pool_allocate_at_least(struct percpu_pool *pool, size_t size) {
    if (pool->item_size < size) {
        errno = EINVAL;
        return NULL;
    }
    return percpu_pool_allocate(pool);
}

/// Runs the statement that follows with each index of the pool's items.
#define PERCPU_FOR_EACH(index, pool) for (int index = 0; index < (pool)->count; index++)

/// An item whose parts begin with the `size` bytes at `value`: then the parts of all indexes have
/// pages, also those that nobody will use. Null with errno: EINVAL where the pool's items are too
/// small, ENOMEM.
static inline void *percpu_pool_allocate_copies(struct percpu_pool *pool, const void *value,
                                                size_t size) {
    void *item = percpu_pool_allocate_at_least(pool, size);
    if (item) {
        PERCPU_FOR_EACH(index, pool) {
            __builtin_memcpy(percpu_part(pool, item, index), value, size);
        }
    }
    return item;
}

#endif
