#ifndef PERCOLATE_PERCPU_COUNTER_H
#define PERCOLATE_PERCPU_COUNTER_H

/// A counter that many threads add to at once: each CPU has a number of its own.
///
/// All but creation and destruction may be called from any thread and in signal handlers. Results
/// are 0, or -1 with errno as `cpu_opv` has it, which means that the counter does not exist.

#include <percolate/percpu_pool.h>

struct percpu_counter {
    struct percpu_pool *pool;
    /// Part 0.
    intptr_t *value;
};

/// Makes a counter that is 0, in a pool whose items have eight bytes or more. 0, or -1 with errno:
/// EINVAL, ENOMEM.
static inline int percpu_counter_create(struct percpu_counter *counter, struct percpu_pool *pool) {
    counter->pool = pool;
    counter->value = PERCPU_ALLOCATE(pool, intptr_t);
    return counter->value ? 0 : -1;
}

static inline void percpu_counter_destroy(struct percpu_counter *counter) {
    percpu_pool_free(counter->pool, counter->value);
}

/// Adds to the calling CPU's number, wrapping around. Orders nothing else.
static inline int percpu_counter_add(const struct percpu_counter *counter, intptr_t amount) {
    enum percpu_index by = counter->pool->by;
    int index = percpu_current(by);
    return PERCPU_OPERATE(by, addv, PERCPU_PART(counter->pool, counter->value, index), amount,
                          index);
}

/// Adds to the number of `index`, by a vector.
static inline int percpu_counter_add_on(const struct percpu_counter *counter, intptr_t amount,
                                        int index) {
    return PERCPU_VECTOR(counter->pool->by, addv, PERCPU_PART(counter->pool, counter->value, index),
                         amount, index);
}

/// The number of `index` at this moment.
static inline intptr_t percpu_counter_read_on(const struct percpu_counter *counter, int index) {
    return percpu_load(PERCPU_PART(counter->pool, counter->value, index));
}

/// The sum of all numbers: exact once nobody adds. Else, where all amounts have one sign, between
/// what it was at the start and at the end of the call.
static inline intptr_t percpu_counter_sum(const struct percpu_counter *counter) {
    uintptr_t sum = 0;
    PERCPU_FOR_EACH(index, counter->pool) {
        sum += (uintptr_t)percpu_counter_read_on(counter, index);
    }
    return (intptr_t)sum;
}

/// Sets the number of `index` to 0 and stores what it was: no addition is lost, nor counted twice.
static inline int percpu_counter_drain_on(const struct percpu_counter *counter, intptr_t *old,
                                          int index) {
    return percpu_exchange(counter->pool->by, PERCPU_PART(counter->pool, counter->value, index), 0,
                           old, index);
}

/// The same of all numbers: stores the sum of those that were taken, also where it returns -1.
static inline int percpu_counter_drain(const struct percpu_counter *counter, intptr_t *sum) {
    uintptr_t total = 0;
    int result = 0;
    PERCPU_FOR_EACH(index, counter->pool) {
        intptr_t old = percpu_counter_read_on(counter, index);
        if (old == 0) {
            continue;
        }
        result = percpu_counter_drain_on(counter, &old, index);
        if (result != 0) {
            break;
        }
        total += (uintptr_t)old;
    }
    *sum = (intptr_t)total;
    return result;
}

#endif
