/// The writers' side of epochs (<percolate/percpu_epoch.h>).
#include <errno.h>
#include <percolate/percpu_epoch.h>
#include <percolate/syscalls.h>

#define EXPORTED __attribute__((visibility("default")))

EXPORTED int percpu_epoch_create(struct percpu_epoch *epoch, struct percpu_pool *pool) {
    epoch->pool = pool;
    epoch->part = PERCPU_ALLOCATE(pool, struct percpu_epoch_part);
    epoch->phase = 0;
    epoch->readers_pass_barriers =
        percolate_membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) != 0;
    if (epoch->part == NULL) return -1;
    pthread_mutex_init(&epoch->writers, NULL);
    return 0;
}

EXPORTED void percpu_epoch_destroy(struct percpu_epoch *epoch) {
    pthread_mutex_destroy(&epoch->writers);
    percpu_pool_free(epoch->pool, epoch->part);
}

/// 0, or -1 with errno.
static int pass_barrier(const struct percpu_epoch *epoch) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (epoch->readers_pass_barriers) return 0;
    long result = percolate_membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
    if (result == 0) return 0;
    errno = (int)-result;
    return -1;
}

/// Those that left are added up first: see the argument in the header.
EXPORTED intptr_t percpu_epoch_readers(const struct percpu_epoch *epoch, int phase) {
    uintptr_t left = 0, entered = 0;
    PERCPU_FOR_EACH(index, epoch->pool) {
        const struct percpu_epoch_part *part = PERCPU_PART(epoch->pool, epoch->part, index);
        left += (uintptr_t)percpu_load(&part->left[phase]);
    }
    if (pass_barrier(epoch) != 0) return -1;
    PERCPU_FOR_EACH(index, epoch->pool) {
        const struct percpu_epoch_part *part = PERCPU_PART(epoch->pool, epoch->part, index);
        entered += (uintptr_t)percpu_load(&part->entered[phase]);
    }
    return (intptr_t)(entered - left);
}

enum { shortest_rest = 1000, longest_rest = 1000000 };

/// Waits until nobody is inside in that phase, with longer and longer rests.
static int await_readers(const struct percpu_epoch *epoch, int phase) {
    struct timespec rest = {0, shortest_rest};
    for (;;) {
        intptr_t readers = percpu_epoch_readers(epoch, phase);
        if (readers <= 0) return (int)readers;
        // Not by libc, where the thread could be cancelled while it has the writers' lock.
        percolate_syscall6(SYS_nanosleep, (long)&rest, 0, 0, 0, 0, 0);
        if (rest.tv_nsec < longest_rest) rest.tv_nsec *= 2;
    }
}

EXPORTED int percpu_epoch_synchronize(struct percpu_epoch *epoch) {
    pthread_mutex_lock(&epoch->writers);
    int phase = epoch->phase;
    int result = await_readers(epoch, !phase);
    if (result == 0) {
        __atomic_store_n(&epoch->phase, !phase, __ATOMIC_RELAXED);
        result = await_readers(epoch, phase);
    }
    // What readers did before they left comes before what the caller does now.
    if (result == 0) result = pass_barrier(epoch);
    pthread_mutex_unlock(&epoch->writers);
    return result;
}
