#include "Guard.h"

#include <errno.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

static _Atomic pid_t owner;

bool percolate_guard_acquire(void) {
    pid_t process = getpid();
    for (;;) {
        pid_t seen = 0;
        if (atomic_compare_exchange_strong_explicit(
                &owner, &seen, process, memory_order_acquire, memory_order_relaxed)) {
            return false;
        }
        if (seen != process && atomic_compare_exchange_strong(&owner, &seen, process)) return true;
        // The owner sums up some hundred counters; it is rare that two ask at once.
        int saved = errno;
        nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
        errno = saved;
    }
}

void percolate_guard_release(void) { atomic_store_explicit(&owner, 0, memory_order_release); }
