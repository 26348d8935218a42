#include "Requests.h"

#include <unistd.h>

#include "../core.h"
#include "Guard.h"

/// Guarded by the guard.
static struct percolate_counting_scope scope;
static pid_t counting_process;
static uint64_t earlier_small, large_at_begin;

static uint64_t large_allocations(void) {
    struct percolate_process_figures process;
    percolate_process_figures(&process);
    return process.large_allocations;
}

static uint64_t small_since_begin(void) {
    uint64_t all = __atomic_load_n(&scope.allocations, __ATOMIC_RELAXED);
    uint64_t large = large_allocations() - large_at_begin;
    return all > large ? all - large : 0;
}

static void begin(void) {
    counting_process = getpid();
    percolate_begin_counting(&scope);
    large_at_begin = large_allocations();
}

int percolate_answer_small_requests(struct percolate_key_query *query) {
    percolate_guard_acquire();
    if (counting_process == 0) {
        begin();
    } else if (counting_process != getpid()) {
        // The child of a fork forgets the scopes of threads that it does not have.
        percolate_end_counting(&scope);
        earlier_small += small_since_begin();
        begin();
    }
    query->value.number64 = earlier_small + small_since_begin();
    percolate_guard_release();
    return 0;
}
