#ifndef PERCOLATE_PERCPU_BYTES_H
#define PERCOLATE_PERCPU_BYTES_H

/// A ring of bytes for each CPU: records of whatever length, first in first out, each put and taken
/// as a whole.
///
/// As a ring of pointers (<percolate/percpu_ring.h>), whose argument holds here, with `head` and
/// `tail` in bytes. A record is a word with its length and its bytes, padded to eight. It never
/// wraps around: where it does not fit before the end of the memory, a word below 0, whose
/// complement says how many bytes are left out, comes first, as an operation of its own.
///
/// All but creation may be called from any thread and in signal handlers.

#include <percolate/percpu_pool.h>

struct percpu_bytes_part {
    intptr_t head;
    intptr_t tail;
};

struct percpu_bytes {
    struct percpu_pool *pool;
    /// Part 0.
    struct percpu_bytes_part *part;
    /// Bytes of each CPU's ring, a power of two.
    intptr_t capacity;
};

/// The most bytes of a record in a large ring: as many as one operation of a vector copies, with
/// the length.
#define PERCPU_BYTES_RECORD_MAX (CPU_OP_DATA_LEN_MAX - 8)

/// The size of a pool's items whose rings shall have `capacity` bytes, a power of two.
static inline size_t percpu_bytes_size(size_t capacity) {
    return sizeof(struct percpu_bytes_part) + capacity;
}

/// Makes empty rings, of the largest capacity that the pool's items have room for. 0, or -1 with
/// errno: EINVAL for less than 32 bytes, ENOMEM.
static inline int percpu_bytes_create(struct percpu_bytes *ring, struct percpu_pool *pool) {
    ring->pool = pool;
    ring->part =
        (struct percpu_bytes_part *)percpu_pool_allocate_at_least(pool, percpu_bytes_size(32));
    ring->capacity = 32;
    while (percpu_bytes_size((size_t)ring->capacity * 2) <= pool->item_size) {
        ring->capacity *= 2;
    }
    return ring->part ? 0 : -1;
}

/// Records that are still in the rings are forgotten.
static inline void percpu_bytes_destroy(struct percpu_bytes *ring) {
    percpu_pool_free(ring->pool, ring->part);
}

/// The most bytes of a record: half of a small ring, so that an empty one always has room, wherever
/// it begins.
static inline size_t percpu_bytes_record_max(const struct percpu_bytes *ring) {
    size_t half = (size_t)ring->capacity / 2 - 8;
    return half < PERCPU_BYTES_RECORD_MAX ? half : PERCPU_BYTES_RECORD_MAX;
}

/// The bytes that a record takes.
static inline intptr_t percpu_bytes_extent(size_t length) {
    return (intptr_t)(8 + ((length + 7) & ~(size_t)7));
}

static inline char *percpu_bytes_place(const struct percpu_bytes *ring,
                                       struct percpu_bytes_part *part, intptr_t number) {
    return (char *)(part + 1) + (number & (ring->capacity - 1));
}

/// Puts a record whose length is in front of it. 0; 1 when the step has to be taken again; 2 when
/// the ring is full; -1 with errno.
static inline int percpu_bytes_try_put(const struct percpu_bytes *ring, const void *record,
                                       intptr_t extent, int index, enum percpu_way way) {
    struct percpu_bytes_part *part = PERCPU_PART(ring->pool, ring->part, index);
    enum percpu_index by = ring->pool->by;
    intptr_t head = percpu_load(&part->head), tail = percpu_load(&part->tail);
    intptr_t room = ring->capacity - (tail - head);
    intptr_t left = ring->capacity - (tail & (ring->capacity - 1));
    char *place = percpu_bytes_place(ring, part, tail);
    if (extent <= left) {
        if (extent > room) {
            return percpu_load(&part->head) == head ? 2 : 1;
        }
        return PERCPU_BY_WAY(way, by, cmpeqv_memcpy_storev_release, &part->tail, tail, place,
                             record, (size_t)extent, tail + extent, index);
    }
    if (left + extent > room) {
        return percpu_load(&part->head) == head ? 2 : 1;
    }
    int result = PERCPU_BY_WAY(way, by, cmpeqv_storev_storev_release, &part->tail, tail,
                               (intptr_t *)(void *)place, ~left, tail + left, index);
    return result < 0 ? -1 : 1;
}

/// Puts a record into the ring of the calling CPU, or of `index`, as the two functions below say.
static inline int percpu_bytes_put_by(const struct percpu_bytes *ring, const void *bytes,
                                      size_t length, int index, enum percpu_way way) {
    // What a sequence can move in one step.
    union {
        intptr_t length;
        char bytes[CPU_OP_DATA_LEN_MAX];
    } record;
    if (length > percpu_bytes_record_max(ring)) {
        errno = EMSGSIZE;
        return -1;
    }
    intptr_t extent = percpu_bytes_extent(length);
    // The padding, first: the length or the bytes overwrite what is not.
    __builtin_memset(record.bytes + extent - 8, 0, 8);
    record.length = (intptr_t)length;
    __builtin_memcpy(record.bytes + 8, bytes, length);
    int result;
    do {
        int target = way == PERCPU_HERE ? percpu_current(ring->pool->by) : index;
        result = percpu_bytes_try_put(ring, &record, extent, target, way);
    } while (result == 1);
    return result == 2 ? 1 : result;
}

/// Puts a record of `length` bytes into the ring of the calling CPU. 0; 1 when the ring is full;
/// -1 with errno: EMSGSIZE for more bytes than `percpu_bytes_record_max`.
static inline int percpu_bytes_put(const struct percpu_bytes *ring, const void *bytes,
                                   size_t length) {
    return percpu_bytes_put_by(ring, bytes, length, 0, PERCPU_HERE);
}

/// The same for the ring of `index`, by vectors.
static inline int percpu_bytes_put_on(const struct percpu_bytes *ring, const void *bytes,
                                      size_t length, int index) {
    return percpu_bytes_put_by(ring, bytes, length, index, PERCPU_REMOTE);
}

/// Takes one record, as `percpu_bytes_take` says, or tells by -2 that the step has to be taken
/// again.
static inline intptr_t percpu_bytes_try_take(const struct percpu_bytes *ring, void *bytes,
                                             size_t size, int index, enum percpu_way way) {
    struct percpu_bytes_part *part = PERCPU_PART(ring->pool, ring->part, index);
    enum percpu_index by = ring->pool->by;
    intptr_t head = percpu_load(&part->head), tail = percpu_load(&part->tail);
    if (tail - head <= 0) {
        errno = ENOMSG;
        return -1;
    }
    char *place = percpu_bytes_place(ring, part, head);
    // Means something only while `head` is the same, which the operations below compare.
    intptr_t length = percpu_load((intptr_t *)(void *)place);
    if (length < 0) {
        int result =
            PERCPU_BY_WAY(way, by, cmpeqv_storev, &part->head, head, head + ~length, index);
        return result < 0 ? -1 : -2;
    }
    if ((size_t)length > size || (size_t)length > percpu_bytes_record_max(ring)) {
        if (percpu_load(&part->head) != head) {
            return -2;
        }
        errno = (size_t)length > percpu_bytes_record_max(ring) ? EBADMSG : EMSGSIZE;
        return -1;
    }
    int result = PERCPU_BY_WAY(way, by, cmpeqv_memcpy_storev, &part->head, head, bytes, place + 8,
                               (size_t)length, head + percpu_bytes_extent((size_t)length), index);
    return result < 0 ? -1 : result > 0 ? -2 : length;
}

/// Takes the oldest record of the calling CPU's ring: copies it to `bytes`, which has room for
/// `size`, and returns its length. -1 with errno: ENOMSG when the ring is empty, EMSGSIZE when the
/// record is longer than `size`: it stays; EBADMSG when something else has written there. `bytes`
/// may be written although nothing is taken.
static inline intptr_t percpu_bytes_take(const struct percpu_bytes *ring, void *bytes,
                                         size_t size) {
    intptr_t result;
    do {
        result =
            percpu_bytes_try_take(ring, bytes, size, percpu_current(ring->pool->by), PERCPU_HERE);
    } while (result == -2);
    return result;
}

/// The same from the ring of `index`, by vectors.
static inline intptr_t percpu_bytes_take_on(const struct percpu_bytes *ring, void *bytes,
                                            size_t size, int index) {
    intptr_t result;
    do {
        result = percpu_bytes_try_take(ring, bytes, size, index, PERCPU_REMOTE);
    } while (result == -2);
    return result;
}

/// How many bytes of the ring of `index` are used at this moment, lengths and what is left out
/// among them.
static inline intptr_t percpu_bytes_used_on(const struct percpu_bytes *ring, int index) {
    struct percpu_bytes_part *part = PERCPU_PART(ring->pool, ring->part, index);
    intptr_t head = percpu_load(&part->head);
    return percpu_load(&part->tail) - head;
}

/// Takes from each ring the records that it holds when its turn comes, and hands them to `body`.
/// What others put meanwhile may be taken, or left.
static inline void percpu_bytes_drain(const struct percpu_bytes *ring,
                                      void (*body)(const void *bytes, size_t length, int index,
                                                   void *context),
                                      void *context) {
    char bytes[CPU_OP_DATA_LEN_MAX];
    PERCPU_FOR_EACH(index, ring->pool) {
        intptr_t left = percpu_bytes_used_on(ring, index);
        while (left > 0) {
            intptr_t length = percpu_bytes_take_on(ring, bytes, sizeof bytes, index);
            if (length < 0) {
                break;
            }
            body(bytes, (size_t)length, index, context);
            left -= percpu_bytes_extent((size_t)length);
        }
    }
}

#endif
