#include "Profile.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <percolate/syscalls.h>

#include "../core.h"
#include "Configuration.h"
#include "Guard.h"

/// Guarded by the guard: the mean that `prof.reset` chose, 0 before; what dumps are called, empty
/// before `prof.prefix` is written; how many there were.
static uint64_t chosen_mean;
static char chosen_prefix[PATH_MAX];
static unsigned long dumps, dumps_on_request;

static uint64_t mean_at_start(void) {
    uint64_t mean = percolate_mean_at_start();
    return mean ? mean : (uint64_t)1 << percolate_configuration()->profile_mean_logarithm;
}

/// The guard is held.
static uint64_t mean(void) {
    uint64_t rate = percolate_sample_rate();
    if (rate) return rate;
    return chosen_mean ? chosen_mean : mean_at_start();
}

static int set_mean(uint64_t mean) {
    return percolate_set_sample_rate(mean) ? 0 : EAGAIN;
}

static int logarithm(uint64_t mean, size_t *result) {
    if (!percolate_is_power_of_two(mean)) return ENOENT;
    *result = (size_t)__builtin_ctzll(mean);
    return 0;
}

int percolate_answer_profile_active(struct percolate_key_query *query) {
    percolate_guard_acquire();
    query->value.flag = percolate_sample_rate() != 0;
    int error = 0;
    if (query->written && query->written->flag != query->value.flag)
        error = set_mean(query->written->flag ? mean() : 0);
    percolate_guard_release();
    return error;
}

int percolate_answer_profile_mean(struct percolate_key_query *query) {
    percolate_guard_acquire();
    int error = logarithm(mean(), &query->value.size);
    percolate_guard_release();
    return error;
}

int percolate_answer_profile_reset(struct percolate_key_query *query) {
    percolate_guard_acquire();
    int error = 0;
    if (query->written) {
        // As jemalloc: what is too much is the most.
        size_t power = query->written->size < 64 ? query->written->size : 63;
        chosen_mean = (uint64_t)1 << power;
        if (percolate_sample_rate()) error = set_mean(chosen_mean);
    }
    percolate_reset_samples();
    percolate_guard_release();
    return error;
}

/// Writes a profile to `PREFIX.PID.SEQUENCE.KIND.heap`. The guard is held.
static int dump_by_number(const char *kind) {
    static char path[PATH_MAX];
    const char *prefix = chosen_prefix[0] ? chosen_prefix : percolate_configuration()->profile_prefix;
    if (!prefix[0]) return EFAULT;
    int length = snprintf(
        path, sizeof path, "%s.%d.%lu.%s.heap", prefix, (int)getpid(), dumps++, kind);
    if (length < 0 || (size_t)length >= sizeof path) return EFAULT;
    return percolate_write_profile(path) == 0 ? 0 : EFAULT;
}

int percolate_answer_profile_dump(struct percolate_key_query *query) {
    percolate_guard_acquire();
    int error;
    if (query->written && query->written->string) {
        error = percolate_write_profile(query->written->string) == 0 ? 0 : EFAULT;
    } else {
        char kind[24];
        snprintf(kind, sizeof kind, "m%lu", dumps_on_request++);
        error = dump_by_number(kind);
    }
    percolate_guard_release();
    return error;
}

int percolate_answer_profile_prefix(struct percolate_key_query *query) {
    if (!query->written) return 0;
    const char *prefix = query->written->string;
    if (!prefix || strlen(prefix) >= sizeof chosen_prefix) return EFAULT;
    percolate_guard_acquire();
    strcpy(chosen_prefix, prefix);
    percolate_guard_release();
    return 0;
}

int percolate_answer_thread_profile(struct percolate_key_query *query) {
    query->value.flag = true;
    return query->written && !query->written->flag ? EFAULT : 0;
}

int percolate_answer_profile_active_at_start(struct percolate_key_query *query) {
    query->value.flag = percolate_mean_at_start() != 0;
    return 0;
}

int percolate_answer_profile_mean_at_start(struct percolate_key_query *query) {
    return logarithm(mean_at_start(), &query->value.size);
}

void percolate_profile_at_exit(void) {
    const struct percolate_configuration *configuration = percolate_configuration();
    if (!configuration->profiles || !configuration->profiles_at_exit) return;
    percolate_guard_acquire();
    if (dump_by_number("f") != 0) {
        static const char line[] = "percolate: MALLOC_CONF: prof_final: the profile cannot be written\n";
        percolate_write(2, line, sizeof line - 1);
    }
    percolate_guard_release();
}
