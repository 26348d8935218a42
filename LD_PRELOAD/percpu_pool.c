/// Per-CPU memory (<percolate/percpu_pool.h>).
///
/// A pool has ranges: mappings of one stride for each part, cut into slots. A slot's bit says that
/// it is taken. Nothing is locked: a slot belongs to whoever sets its bit, and ranges are only ever
/// added. So an interrupted caller, or a thread that a child of fork(2) does not have, leaves at
/// most a slot taken.
#include <errno.h>
#include <percolate/percpu_pool.h>
#include <percolate/process.h>
#include <percolate/syscalls.h>
#include <unistd.h>

#include "core.h"
#include "misuse.h"

#define EXPORTED __attribute__((visibility("default")))

enum { bits = 64 };

/// The bits of 64 slots.
struct slot_bits {
    uint64_t taken;
    /// Slots that are free and were used before: they are not zero.
    uint64_t used;
};

struct range {
    struct range *next;
    /// Part 0 of slot 0.
    uintptr_t parts;
    struct slot_bits words[];
};

struct pool {
    struct percpu_pool visible;
    /// Bytes from one slot to the next, slots of a range, and words for them.
    size_t slot_size, slots, words;
    struct range *ranges;
};

static struct pool *inside(struct percpu_pool *pool) { return (struct pool *)pool; }

static size_t stride(const struct pool *pool) { return (size_t)1 << pool->visible.stride_shift; }

static size_t mapped_bytes(const struct pool *pool) {
    return stride(pool) * (size_t)pool->visible.count;
}

/// Items are aligned to the largest power of two that they may need, at most a cache line.
static size_t slot_size_for(size_t item_size) {
    size_t alignment = 8;
    while (alignment < 64 && alignment * 2 <= item_size) alignment *= 2;
    return (item_size + alignment - 1) & ~(alignment - 1);
}

EXPORTED struct percpu_pool *percpu_pool_create(size_t item_size, size_t asked,
                                                enum percpu_index by) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = asked ? asked : PERCPU_STRIDE;
    bool is_known = by == PERCPU_CPU_ID || by == PERCPU_MM_CID;
    bool fits = item_size > 0 && item_size <= (size_t)1 << 40 && bytes <= (size_t)1 << 40;
    if (!is_known || !fits || !percolate_is_power_of_two(bytes) || bytes < page) {
        errno = EINVAL;
        return NULL;
    }
    size_t slot_size = slot_size_for(item_size);
    while (asked == 0 && bytes < slot_size) bytes *= 2;
    if (bytes < slot_size) {
        errno = EINVAL;
        return NULL;
    }
    struct pool *pool = percolate_own_malloc(sizeof *pool);
    if (pool == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    size_t slots = bytes / slot_size;
    *pool = (struct pool){
        .visible =
            {
                .item_size = item_size,
                .stride_shift = (unsigned)__builtin_ctzl(bytes),
                .count = percolate_count_cpus(),
                .by =
                    by == PERCPU_MM_CID && percolate_knows_mm_cid() ? PERCPU_MM_CID : PERCPU_CPU_ID,
            },
        .slot_size = slot_size,
        .slots = slots,
        .words = (slots + bits - 1) / bits,
    };
    return &pool->visible;
}

static void unmap(const struct pool *pool, struct range *range) {
    percolate_munmap(range->parts, mapped_bytes(pool));
    percolate_own_free(range);
}

EXPORTED void percpu_pool_destroy(struct percpu_pool *pool) {
    if (pool == NULL) return;
    struct range *range = inside(pool)->ranges;
    while (range) {
        struct range *next = range->next;
        unmap(inside(pool), range);
        range = next;
    }
    percolate_own_free(pool);
}

/// A range whose last word has the bits taken that stand for no slot. Null where there is no
/// memory.
static struct range *make_range(const struct pool *pool) {
    struct range *range =
        percolate_allocate_zeroed(sizeof *range + pool->words * sizeof *range->words);
    if (range == NULL) return NULL;
    long parts = percolate_mmap(0, mapped_bytes(pool), PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
    if (parts < 0) {
        percolate_own_free(range);
        return NULL;
    }
    range->parts = (uintptr_t)parts;
    if (!percolate_is_restricted())
        percolate_name_memory(range->parts, mapped_bytes(pool), "percolate per-CPU data");
    size_t last = pool->slots % bits;
    if (last != 0) range->words[pool->words - 1].taken = ~UINT64_C(0) << last;
    return range;
}

/// Zeroes what is not zero: a part that its CPU never wrote stays without pages.
static void clear(uint64_t *words, size_t bytes) {
    for (size_t number = 0; number < bytes / sizeof *words; number++) {
        if (words[number] != 0) words[number] = 0;
    }
}

/// Takes a free slot of a word, null where it has none.
static void *take_slot(const struct pool *pool, struct range *range, size_t word) {
    struct slot_bits *slots = &range->words[word];
    uint64_t taken = __atomic_load_n(&slots->taken, __ATOMIC_RELAXED);
    while (~taken != 0) {
        uint64_t bit = ~taken & (taken + 1);
        taken = __atomic_fetch_or(&slots->taken, bit, __ATOMIC_ACQUIRE);
        if (taken & bit) continue;
        size_t number = word * bits + (size_t)__builtin_ctzl(bit);
        uintptr_t item = range->parts + number * pool->slot_size;
        if (__atomic_fetch_and(&slots->used, ~bit, __ATOMIC_RELAXED) & bit) {
            PERCPU_FOR_EACH(index, &pool->visible) {
                clear(percpu_part(&pool->visible, (void *)item, index), pool->slot_size);
            }
        }
        return (void *)item;
    }
    return NULL;
}

EXPORTED void *percpu_pool_allocate(struct percpu_pool *visible) {
    struct pool *pool = inside(visible);
    int saved = errno;
    for (;;) {
        struct range *first = __atomic_load_n(&pool->ranges, __ATOMIC_ACQUIRE);
        for (struct range *range = first; range; range = range->next) {
            for (size_t word = 0; word < pool->words; word++) {
                void *item = take_slot(pool, range, word);
                if (item == NULL) continue;
                errno = saved;
                return item;
            }
        }
        struct range *added = make_range(pool);
        if (added == NULL) {
            errno = ENOMEM;
            return NULL;
        }
        added->next = first;
        // Somebody who was faster has added room: this range is not needed.
        bool is_first = __atomic_compare_exchange_n(&pool->ranges, &first, added, false,
                                                    __ATOMIC_RELEASE, __ATOMIC_RELAXED);
        if (!is_first) unmap(pool, added);
    }
}

EXPORTED void percpu_pool_free(struct percpu_pool *visible, void *item) {
    struct pool *pool = inside(visible);
    if (item == NULL) return;
    uintptr_t address = (uintptr_t)item;
    struct range *range = __atomic_load_n(&pool->ranges, __ATOMIC_ACQUIRE);
    while (range && address - range->parts >= stride(pool)) range = range->next;
    size_t number = range ? (address - range->parts) / pool->slot_size : pool->slots;
    if (number >= pool->slots || range->parts + number * pool->slot_size != address)
        percolate_report_misuse("free of what is no item of this per-CPU pool", item);
    struct slot_bits *slots = &range->words[number / bits];
    uint64_t bit = UINT64_C(1) << number % bits;
    if (!(__atomic_load_n(&slots->taken, __ATOMIC_RELAXED) & bit))
        percolate_report_misuse("double free of a per-CPU item", item);
    __atomic_fetch_or(&slots->used, bit, __ATOMIC_RELAXED);
    if (!(__atomic_fetch_and(&slots->taken, ~bit, __ATOMIC_RELEASE) & bit))
        percolate_report_misuse("double free of a per-CPU item", item);
}
