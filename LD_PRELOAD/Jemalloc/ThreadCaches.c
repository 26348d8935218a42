#include "ThreadCaches.h"

#include <errno.h>

#include "Guard.h"
#include "NumberSet.h"

/// Guarded by the guard. MALLOCX_TCACHE can express no more.
static struct percolate_number_set caches = {.limit = 4094};

static __thread bool is_disabled __attribute__((tls_model("initial-exec")));

int percolate_answer_cache_create(struct percolate_key_query *query) {
    percolate_guard_acquire();
    size_t number = percolate_number_set_take(&caches, 1);
    percolate_guard_release();
    query->value.number = (unsigned)number;
    return number != 0 ? 0 : EAGAIN;
}

int percolate_answer_cache_flush(struct percolate_key_query *query) {
    if (!query->written) return EINVAL;
    percolate_guard_acquire();
    bool is_known = percolate_number_set_contains(&caches, query->written->number);
    percolate_guard_release();
    return is_known ? 0 : EFAULT;
}

int percolate_answer_cache_destroy(struct percolate_key_query *query) {
    if (!query->written) return EINVAL;
    percolate_guard_acquire();
    bool is_known = percolate_number_set_remove(&caches, query->written->number);
    percolate_guard_release();
    return is_known ? 0 : EFAULT;
}

int percolate_answer_thread_cache_enabled(struct percolate_key_query *query) {
    query->value.flag = !is_disabled;
    if (query->written) is_disabled = !query->written->flag;
    return 0;
}

int percolate_answer_nothing_to_do(struct percolate_key_query *query) {
    (void)query;
    return 0;
}
