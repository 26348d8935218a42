#ifndef PERCOLATE_PERCPU_RING_H
#define PERCOLATE_PERCPU_RING_H

/// A ring of pointers for each CPU: first in first out, with a bound.
///
/// `head` and `tail` count the pointers that were ever taken and put; a ring holds those in
/// between. Each operation compares one of them and stores it, and both only grow: a `head` that
/// was read before `tail` is at most too small, so that a ring may look fuller than it is, which is
/// looked at again, and never emptier. The place behind `tail` means nothing until `tail` is
/// stored, and a pointer that was read at `head` is the right one if `head` is still the same when
/// it is stored.
///
/// All but creation may be called from any thread and in signal handlers.

#include <percolate/percpu_pool.h>

/// In front of the pointers.
struct percpu_ring_part {
    intptr_t head;
    intptr_t tail;
};

struct percpu_ring {
    struct percpu_pool *pool;
    /// Part 0.
    struct percpu_ring_part *part;
    /// Pointers that each CPU's ring has room for: a power of two.
    intptr_t capacity;
};

/// What an operation came to.
enum percpu_ring_result {
    PERCPU_RING_ERROR = -1,
    PERCPU_RING_DONE = 0,
    /// Somebody was faster.
    PERCPU_RING_LOST = 1,
    PERCPU_RING_FULL = 2,
    PERCPU_RING_EMPTY = 3,
};

/// The size of a pool's items whose rings shall hold `capacity` pointers, a power of two.
static inline size_t percpu_ring_size(size_t capacity) {
    return sizeof(struct percpu_ring_part) + capacity * sizeof(intptr_t);
}

/// Makes empty rings, of the largest capacity that the pool's items have room for. 0, or -1 with
/// errno: EINVAL where they have room for none, ENOMEM.
static inline int percpu_ring_create(struct percpu_ring *ring, struct percpu_pool *pool) {
    ring->pool = pool;
    ring->part =
        (struct percpu_ring_part *)percpu_pool_allocate_at_least(pool, percpu_ring_size(1));
    ring->capacity = 1;
    while (percpu_ring_size((size_t)ring->capacity * 2) <= pool->item_size) {
        ring->capacity *= 2;
    }
    return ring->part ? 0 : -1;
}

/// Pointers that are still in the rings are forgotten.
static inline void percpu_ring_destroy(struct percpu_ring *ring) {
    percpu_pool_free(ring->pool, ring->part);
}

static inline intptr_t *percpu_ring_place(const struct percpu_ring *ring,
                                          struct percpu_ring_part *part, intptr_t number) {
    return (intptr_t *)(part + 1) + (number & (ring->capacity - 1));
}

/// The most pointers that one operation moves: as many as one operation of a vector copies.
#define PERCPU_RING_BATCH 512

/// `count` pointers from `number` on lie side by side: at most so many.
static inline intptr_t percpu_ring_run(const struct percpu_ring *ring, intptr_t number,
                                       intptr_t count) {
    intptr_t run = ring->capacity - (number & (ring->capacity - 1));
    if (run > count) {
        run = count;
    }
    return run < PERCPU_RING_BATCH ? run : PERCPU_RING_BATCH;
}

/// Puts the first of `count` pointers into the ring of `index`: all or some, side by side. `*done`
/// is how many.
static inline enum percpu_ring_result percpu_ring_try_put(const struct percpu_ring *ring,
                                                          void *const *pointers, intptr_t count,
                                                          intptr_t *done, int index,
                                                          enum percpu_way way) {
    struct percpu_ring_part *part = PERCPU_PART(ring->pool, ring->part, index);
    enum percpu_index by = ring->pool->by;
    intptr_t head = percpu_load(&part->head), tail = percpu_load(&part->tail);
    intptr_t room = ring->capacity - (tail - head);
    if (room <= 0) {
        return percpu_load(&part->head) == head ? PERCPU_RING_FULL : PERCPU_RING_LOST;
    }
    intptr_t run = percpu_ring_run(ring, tail, count < room ? count : room);
    intptr_t *place = percpu_ring_place(ring, part, tail);
    int result =
        run == 1 ? PERCPU_BY_WAY(way, by, cmpeqv_storev_storev_release, &part->tail, tail, place,
                                 (intptr_t)*pointers, tail + 1, index)
                 : PERCPU_BY_WAY(way, by, cmpeqv_memcpy_storev_release, &part->tail, tail, place,
                                 pointers, (size_t)run * sizeof *place, tail + run, index);
    *done = run;
    return result < 0 ? PERCPU_RING_ERROR : result > 0 ? PERCPU_RING_LOST : PERCPU_RING_DONE;
}

/// Takes the first pointers of the ring of `index`, at most `count`. `*done` is how many.
static inline enum percpu_ring_result percpu_ring_try_take(const struct percpu_ring *ring,
                                                           void **pointers, intptr_t count,
                                                           intptr_t *done, int index,
                                                           enum percpu_way way) {
    struct percpu_ring_part *part = PERCPU_PART(ring->pool, ring->part, index);
    enum percpu_index by = ring->pool->by;
    intptr_t head = percpu_load(&part->head), tail = percpu_load(&part->tail);
    if (tail - head <= 0) {
        return PERCPU_RING_EMPTY;
    }
    intptr_t run = percpu_ring_run(ring, head, count < tail - head ? count : tail - head);
    intptr_t *place = percpu_ring_place(ring, part, head);
    if (run == 1) {
        *pointers = (void *)percpu_load(place);
    }
    int result = run == 1
                     ? PERCPU_BY_WAY(way, by, cmpeqv_storev, &part->head, head, head + 1, index)
                     : PERCPU_BY_WAY(way, by, cmpeqv_memcpy_storev, &part->head, head, pointers,
                                     place, (size_t)run * sizeof *place, head + run, index);
    *done = run;
    return result < 0 ? PERCPU_RING_ERROR : result > 0 ? PERCPU_RING_LOST : PERCPU_RING_DONE;
}

/// Puts a pointer into the ring of the calling CPU. 0; 1 when it is full; -1 with errno: there is
/// no such ring.
static inline int percpu_ring_put(const struct percpu_ring *ring, void *pointer) {
    enum percpu_ring_result result;
    intptr_t done;
    do {
        result = percpu_ring_try_put(ring, &pointer, 1, &done, percpu_current(ring->pool->by),
                                     PERCPU_HERE);
    } while (result == PERCPU_RING_LOST);
    return result == PERCPU_RING_FULL ? 1 : (int)result;
}

/// The same for the ring of `index`, by a vector.
static inline int percpu_ring_put_on(const struct percpu_ring *ring, void *pointer, int index) {
    enum percpu_ring_result result;
    intptr_t done;
    do {
        result = percpu_ring_try_put(ring, &pointer, 1, &done, index, PERCPU_REMOTE);
    } while (result == PERCPU_RING_LOST);
    return result == PERCPU_RING_FULL ? 1 : (int)result;
}

/// Takes the oldest pointer of the calling CPU's ring; null when it is empty.
static inline void *percpu_ring_take(const struct percpu_ring *ring) {
    enum percpu_ring_result result;
    intptr_t done;
    void *pointer = NULL;
    do {
        result = percpu_ring_try_take(ring, &pointer, 1, &done, percpu_current(ring->pool->by),
                                      PERCPU_HERE);
    } while (result == PERCPU_RING_LOST);
    return result == PERCPU_RING_DONE ? pointer : NULL;
}

/// The same from the ring of `index`, by a vector.
static inline void *percpu_ring_take_on(const struct percpu_ring *ring, int index) {
    enum percpu_ring_result result;
    intptr_t done;
    void *pointer = NULL;
    do {
        result = percpu_ring_try_take(ring, &pointer, 1, &done, index, PERCPU_REMOTE);
    } while (result == PERCPU_RING_LOST);
    return result == PERCPU_RING_DONE ? pointer : NULL;
}

/// Puts pointers in their order into the rings of the CPUs that the thread runs on meanwhile, until
/// one is full. How many.
static inline size_t percpu_ring_put_many(const struct percpu_ring *ring, void *const *pointers,
                                          size_t count) {
    size_t all = 0;
    while (all < count) {
        intptr_t done = 0;
        enum percpu_ring_result result =
            percpu_ring_try_put(ring, pointers + all, (intptr_t)(count - all), &done,
                                percpu_current(ring->pool->by), PERCPU_HERE);
        if (result == PERCPU_RING_DONE) {
            all += (size_t)done;
        } else if (result != PERCPU_RING_LOST) {
            break;
        }
    }
    return all;
}

/// Takes the oldest pointers of the ring of `index`, at most `count`, by vectors. How many.
static inline size_t percpu_ring_take_many_on(const struct percpu_ring *ring, void **pointers,
                                              size_t count, int index) {
    size_t all = 0;
    while (all < count) {
        intptr_t done = 0;
        enum percpu_ring_result result = percpu_ring_try_take(
            ring, pointers + all, (intptr_t)(count - all), &done, index, PERCPU_REMOTE);
        if (result == PERCPU_RING_DONE) {
            all += (size_t)done;
        } else if (result != PERCPU_RING_LOST) {
            break;
        }
    }
    return all;
}

/// Takes the oldest pointers of the calling CPU's ring, at most `count`, in one step: those that
/// lie side by side. How many; 0 when it is empty.
static inline size_t percpu_ring_take_many(const struct percpu_ring *ring, void **pointers,
                                           size_t count) {
    enum percpu_ring_result result;
    intptr_t done = 0;
    if (count == 0) {
        return 0;
    }
    do {
        result = percpu_ring_try_take(ring, pointers, (intptr_t)count, &done,
                                      percpu_current(ring->pool->by), PERCPU_HERE);
    } while (result == PERCPU_RING_LOST);
    return result == PERCPU_RING_DONE ? (size_t)done : 0;
}

/// How many pointers the ring of `index` holds at this moment.
static inline intptr_t percpu_ring_count_on(const struct percpu_ring *ring, int index) {
    struct percpu_ring_part *part = PERCPU_PART(ring->pool, ring->part, index);
    intptr_t head = percpu_load(&part->head);
    return percpu_load(&part->tail) - head;
}

/// How many all rings hold: exact once nobody puts or takes.
static inline intptr_t percpu_ring_count(const struct percpu_ring *ring) {
    intptr_t sum = 0;
    PERCPU_FOR_EACH(index, ring->pool) { sum += percpu_ring_count_on(ring, index); }
    return sum;
}

/// Takes from each ring as many pointers as it holds when its turn comes, and hands them to `body`.
/// What others put meanwhile may be taken, or left.
static inline void percpu_ring_drain(const struct percpu_ring *ring,
                                     void (*body)(void *pointer, void *context), void *context) {
    PERCPU_FOR_EACH(index, ring->pool) {
        intptr_t left = percpu_ring_count_on(ring, index);
        while (left > 0) {
            void *batch[64];
            size_t taken =
                percpu_ring_take_many_on(ring, batch, left < 64 ? (size_t)left : 64, index);
            if (taken == 0) {
                break;
            }
            for (size_t number = 0; number < taken; number++) {
                body(batch[number], context);
            }
            left -= (intptr_t)taken;
        }
    }
}

#endif
