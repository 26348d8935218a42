#ifndef PERCOLATE_PERCPU_EPOCH_H
#define PERCOLATE_PERCPU_EPOCH_H

/// Readers that never wait, and writers that wait for them: what a reader may still use is freed
/// after all readers have left who were inside when it was taken out of sight.
///
///     int phase = percpu_epoch_enter(&epoch);                 // reader
///     use(__atomic_load_n(&shared, __ATOMIC_ACQUIRE));
///     percpu_epoch_leave(&epoch, phase);
///
///     struct table *old = __atomic_exchange_n(&shared, fresh, __ATOMIC_ACQ_REL);
///     if (percpu_epoch_synchronize(&epoch) == 0) free(old);   // writer
///
/// Each CPU counts the readers that entered and those that left, for each of two phases. Readers
/// use the current phase; a writer changes it and waits until as many have left the old one as had
/// entered it. A reader may leave on another CPU than it entered on: only the sums mean something.
///
/// Why a sum may be trusted: the writer adds up those that left, passes a barrier, and then adds up
/// those that entered. If both are equal, nobody was inside at the barrier: whoever had left had
/// entered before. A reader that has read the phase and not yet entered is counted late, in the old
/// phase: so a writer first waits for the phase that it is going to use.
///
/// Why the barrier is the writer's alone: membarrier(2) makes every CPU that runs the process pass
/// one. So either a reader's number is in the sum, or its barrier comes before it entered, and it
/// does not see what was taken out of sight. Where the kernel has no such call, readers pass a
/// barrier themselves.

#include <percolate/percpu_pool.h>
#include <pthread.h>

struct percpu_epoch_part {
    intptr_t entered[2];
    intptr_t left[2];
};

struct percpu_epoch {
    struct percpu_pool *pool;
    /// Part 0.
    struct percpu_epoch_part *part;
    int phase;
    /// Whether readers pass a barrier of their own.
    int readers_pass_barriers;
    /// Writers, one after the other.
    pthread_mutex_t writers;
};

#ifdef __cplusplus
extern "C" {
#endif

/// Makes an epoch, in a pool whose items have 32 bytes or more. 0, or -1 with errno: EINVAL,
/// ENOMEM.
int percpu_epoch_create(struct percpu_epoch *epoch, struct percpu_pool *pool);

/// Nobody may be inside, or enter.
void percpu_epoch_destroy(struct percpu_epoch *epoch);

/// Returns when every reader has left that was inside when it was called. 0; or -1 with errno,
/// where the kernel refuses now what it allowed when the epoch was made: then nobody has waited,
/// and what was taken out of sight must not be freed. Not from inside, not in
/// signal handlers, and not in a child that fork(2) made while another thread was in this call.
int percpu_epoch_synchronize(struct percpu_epoch *epoch);

/// How many readers are inside in one of the phases, 0 or 1: exact once nobody enters or leaves.
/// Below 0 with errno, as `percpu_epoch_synchronize`.
intptr_t percpu_epoch_readers(const struct percpu_epoch *epoch, int phase);

#ifdef __cplusplus
}
#endif

static inline void percpu_epoch_order_reader(const struct percpu_epoch *epoch) {
    if (__builtin_expect(epoch->readers_pass_barriers, 0)) {
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    } else {
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
    }
}

/// Enters, and returns the phase, which `percpu_epoch_leave` wants. Below 0 with errno: there is no
/// such epoch. A thread may be inside several times.
static inline int percpu_epoch_enter(const struct percpu_epoch *epoch) {
    enum percpu_index by = epoch->pool->by;
    int phase = __atomic_load_n(&epoch->phase, __ATOMIC_RELAXED), index = percpu_current(by);
    intptr_t *entered = PERCPU_PART(epoch->pool, epoch->part, index)->entered + phase;
    if (PERCPU_OPERATE(by, addv, entered, 1, index) != 0) {
        return -1;
    }
    percpu_epoch_order_reader(epoch);
    return phase;
}

/// Leaves. Any thread may do it for the one that entered.
static inline int percpu_epoch_leave(const struct percpu_epoch *epoch, int phase) {
    enum percpu_index by = epoch->pool->by;
    int index = percpu_current(by);
    intptr_t *left = PERCPU_PART(epoch->pool, epoch->part, index)->left + phase;
    percpu_epoch_order_reader(epoch);
    return PERCPU_OPERATE(by, addv, left, 1, index);
}

/// Enters and leaves in the name of `index`, by vectors.
static inline int percpu_epoch_enter_on(const struct percpu_epoch *epoch, int index) {
    int phase = __atomic_load_n(&epoch->phase, __ATOMIC_RELAXED);
    intptr_t *entered = PERCPU_PART(epoch->pool, epoch->part, index)->entered + phase;
    if (PERCPU_VECTOR(epoch->pool->by, addv, entered, 1, index) != 0) {
        return -1;
    }
    percpu_epoch_order_reader(epoch);
    return phase;
}

static inline int percpu_epoch_leave_on(const struct percpu_epoch *epoch, int phase, int index) {
    intptr_t *left = PERCPU_PART(epoch->pool, epoch->part, index)->left + phase;
    percpu_epoch_order_reader(epoch);
    return PERCPU_VECTOR(epoch->pool->by, addv, left, 1, index);
}

#endif
