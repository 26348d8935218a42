#include "Settings.h"

#include <errno.h>
#include <string.h>

#include "../core.h"
#include "Arenas.h"
#include "Configuration.h"
#include "Guard.h"

enum { PROMPT = 0, NEVER = 2 };

/// About how long free pages stay with `release=prompt` (Sources/Core/Arena/Retention.swift).
enum { DECAY = 1000 };

static ssize_t decay(void) {
    struct percolate_process_figures process;
    percolate_process_figures(&process);
    return process.release == PROMPT ? DECAY : -1;
}

/// Guarded by the guard, valid once `is_kept`.
static struct {
    bool is_kept;
    ssize_t decay;
    bool has_background;
} at_start;

/// Before the first change.
static void keep_start(void) {
    percolate_guard_acquire();
    if (!at_start.is_kept) {
        at_start.decay = decay();
        at_start.has_background = percolate_scavenger_is_wanted();
        at_start.is_kept = true;
    }
    percolate_guard_release();
}

static bool is_decay(ssize_t milliseconds) { return milliseconds >= -1; }

/// Of an arena that the program created nothing changes: its pages are the heap's.
static bool concerns_heap(const struct percolate_key_query *query) {
    return query->index[0] == 0 || query->index[0] == PERCOLATE_ALL_ARENAS;
}

int percolate_answer_dirty_decay(struct percolate_key_query *query) {
    keep_start();
    query->value.signed_size = decay();
    if (!query->written) return 0;
    ssize_t wanted = query->written->signed_size;
    if (!is_decay(wanted)) return EFAULT;
    if (!concerns_heap(query)) return 0;
    percolate_set_release(wanted == -1 ? NEVER : PROMPT);
    if (wanted == 0) percolate_trim();
    return 0;
}

int percolate_answer_default_dirty_decay(struct percolate_key_query *query) {
    query->value.signed_size = decay();
    return query->written && !is_decay(query->written->signed_size) ? EFAULT : 0;
}

int percolate_answer_muzzy_decay(struct percolate_key_query *query) {
    query->value.signed_size = 0;
    return query->written && !is_decay(query->written->signed_size) ? EFAULT : 0;
}

/// Background threads that may be: one, or none.
static size_t most_background = 1;

static void switch_background(bool is_wanted) {
    if (is_wanted != percolate_scavenger_is_wanted()) percolate_enable_scavenger(is_wanted);
}

int percolate_answer_background(struct percolate_key_query *query) {
    keep_start();
    query->value.flag = percolate_scavenger_is_wanted();
    if (query->written)
        switch_background(
            query->written->flag && __atomic_load_n(&most_background, __ATOMIC_RELAXED) > 0);
    return 0;
}

int percolate_answer_most_background(struct percolate_key_query *query) {
    keep_start();
    query->value.size = __atomic_load_n(&most_background, __ATOMIC_RELAXED);
    if (!query->written) return 0;
    if (query->written->size > 1) return EINVAL;
    __atomic_store_n(&most_background, query->written->size, __ATOMIC_RELAXED);
    if (query->written->size == 0) switch_background(false);
    return 0;
}

int percolate_answer_background_threads(struct percolate_key_query *query) {
    query->value.size = percolate_scavenger_lives();
    return 0;
}

int percolate_answer_dirty_decay_at_start(struct percolate_key_query *query) {
    keep_start();
    query->value.signed_size = at_start.decay;
    return 0;
}

int percolate_answer_background_at_start(struct percolate_key_query *query) {
    keep_start();
    query->value.flag = at_start.has_background;
    return 0;
}

int percolate_answer_from_configuration(struct percolate_key_query *query) {
    const char *field = (const char *)percolate_configuration() + query->key->operand.number;
    if (query->key->type == PERCOLATE_KEY_STRING) {
        query->value.string = field;
    } else {
        query->value.flag = *(const bool *)field;
    }
    return 0;
}

int percolate_answer_has_caches(struct percolate_key_query *query) {
    struct percolate_process_figures process;
    percolate_process_figures(&process);
    query->value.flag = process.cache_budget != 0;
    return 0;
}

int percolate_answer_huge_pages(struct percolate_key_query *query) {
    query->value.string = percolate_configuration()->huge_pages ? "always" : "default";
    return 0;
}

int percolate_answer_constant(struct percolate_key_query *query) {
    switch (query->key->type) {
    case PERCOLATE_KEY_STRING: query->value.string = query->key->operand.text; break;
    case PERCOLATE_KEY_BOOL: query->value.flag = query->key->operand.number != 0; break;
    case PERCOLATE_KEY_UNSIGNED: query->value.number = (unsigned)query->key->operand.number; break;
    default: query->value.size = query->key->operand.number; break;
    }
    return 0;
}
