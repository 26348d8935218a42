#include "Arenas.h"

#include <errno.h>
#include <string.h>

#include "../core.h"
#include "Guard.h"
#include "NumberSet.h"

/// One number less than MALLOCX_ARENA can express, as in jemalloc.
enum { MOST_ARENAS = 4095 };

/// Guarded by the guard. Arena 0 always exists.
static struct percolate_number_set created = {.limit = MOST_ARENAS};
static unsigned arena_count = 1;

static __thread unsigned thread_arena __attribute__((tls_model("initial-exec")));

static unsigned count(void) { return __atomic_load_n(&arena_count, __ATOMIC_RELAXED); }

/// The number after the last one is an old way to say all arenas.
static bool means_all(size_t number) { return number == PERCOLATE_ALL_ARENAS || number == count(); }

bool percolate_arena_may_be_named(size_t number) {
    return number <= count() || number == PERCOLATE_ALL_ARENAS;
}

static bool exists(size_t number) {
    if (number == 0) return true;
    percolate_guard_acquire();
    bool result = percolate_number_set_contains(&created, number);
    percolate_guard_release();
    return result;
}

int percolate_answer_arena_count(struct percolate_key_query *query) {
    query->value.number = count();
    return 0;
}

/// Hooks that provide an arena's memory cannot be served: blocks come from the heap.
int percolate_answer_arena_create(struct percolate_key_query *query) {
    if (query->written && query->written->pointer) return EFAULT;
    percolate_guard_acquire();
    size_t number = percolate_number_set_take(&created, 1);
    if (number != 0 && number >= arena_count)
        __atomic_store_n(&arena_count, (unsigned)number + 1, __ATOMIC_RELAXED);
    percolate_guard_release();
    query->value.number = (unsigned)number;
    return number != 0 ? 0 : EAGAIN;
}

int percolate_answer_arena_lookup(struct percolate_key_query *query) {
    if (!query->written || !percolate_owns(query->written->pointer)) return EINVAL;
    query->value.number = 0;
    return 0;
}

int percolate_answer_arena_initialized(struct percolate_key_query *query) {
    query->value.flag = query->index[0] == PERCOLATE_ALL_ARENAS || exists(query->index[0]);
    return 0;
}

/// The free pages of all arenas are those of arena 0.
int percolate_answer_arena_purge(struct percolate_key_query *query) {
    if (query->index[0] != 0 && !means_all(query->index[0])) return 0;
    int saved = errno;
    percolate_trim();
    errno = saved;
    return 0;
}

/// What is due goes back without being asked to: the rule is `release`'s.
int percolate_answer_arena_decay(struct percolate_key_query *query) {
    (void)query;
    return 0;
}

/// Would discard all blocks of an arena: which those are, nobody knows here. jemalloc refuses it in
/// the same way for an arena that it chooses by itself.
int percolate_answer_arena_reset(struct percolate_key_query *query) {
    (void)query;
    return EFAULT;
}

/// Blocks that are still allocated stay so: the number alone is given up.
int percolate_answer_arena_destroy(struct percolate_key_query *query) {
    percolate_guard_acquire();
    bool is_known = percolate_number_set_remove(&created, query->index[0]);
    percolate_guard_release();
    return is_known ? 0 : EFAULT;
}

/// sbrk(2) gives no memory here.
int percolate_answer_arena_dss(struct percolate_key_query *query) {
    const char *written = query->written ? query->written->string : "disabled";
    if (!written || strcmp(written, "disabled") != 0) return EFAULT;
    query->value.string = "disabled";
    return 0;
}

int percolate_answer_thread_arena(struct percolate_key_query *query) {
    query->value.number = thread_arena;
    if (!query->written) return 0;
    if (!exists(query->written->number)) return EFAULT;
    thread_arena = query->written->number;
    return 0;
}
