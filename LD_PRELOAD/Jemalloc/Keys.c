/// All names that mallctl answers, with what answers them. A name that jemalloc(3) has and that is
/// not here has no true answer:
///
/// - `thread.allocated`, `thread.deallocated`, `thread.peak`: no thread counts what it allocates.
/// - `prof.gdump`, `prof.stats`, `prof.log_*`, `thread.prof.name`: no such thing is kept.
/// - `stats.mutexes`, numbers of requests, fills and flushes of single size classes, `nthreads`,
/// `uptime`, numbers of purges: not counted.
/// - `arena.<i>.extent_hooks`, `retain_grow_limit`: blocks come from one reservation.
/// - `arenas.lextent`, `stats.arenas.<i>.lextents`: a large block has any number of pages, so
/// `arenas.nlextents` is 0.
#include <limits.h>

#include "../core.h"
#include "Arenas.h"
#include "Configuration.h"
#include "Key.h"
#include "Profile.h"
#include "Requests.h"
#include "Settings.h"
#include "Snapshot.h"
#include "ThreadCaches.h"

#define ROW(key, kind, how, function, ...)                                                         \
    {.name = key,                                                                                  \
        .type = PERCOLATE_KEY_##kind,                                                              \
        .access = how,                                                                             \
        .answer = percolate_answer_##function,                                                     \
        ##__VA_ARGS__}
#define KEY(key, kind, how, function) ROW(key, kind, PERCOLATE_KEY_##how, function)
#define ACTION(key, function) ROW(key, ACTION, 0, function)
#define CREATES(key, kind, how, function)                                                          \
    ROW(key, kind, PERCOLATE_KEY_##how, function, .creates = true)
#define COUNTS(key, kind, function)                                                                \
    ROW(key, kind, PERCOLATE_KEY_READ, function, .counts = true)
#define CONSTANT(key, kind, value)                                                                 \
    ROW(key, kind, PERCOLATE_KEY_READ, constant, .operand = {.number = (uintptr_t)(value)})
#define TEXT(key, value) ROW(key, STRING, PERCOLATE_KEY_READ, constant, .operand = {.text = value})
#define FIGURE(key, kind, field)                                                                   \
    ROW(key, kind, PERCOLATE_KEY_READ, from_snapshot,                                              \
        .operand = {.number = offsetof(struct percolate_snapshot, field)})
#define SETTING(key, kind, field)                                                                  \
    ROW(key, kind, PERCOLATE_KEY_READ, from_configuration,                                         \
        .operand = {.number = offsetof(struct percolate_configuration, field)})
#define OF_CLASS(key, field)                                                                       \
    ROW(key, SIZE, PERCOLATE_KEY_READ, from_classes,                                               \
        .operand = {.number = offsetof(struct percolate_snapshot, field)})

const struct percolate_key percolate_keys[] = {
    TEXT("version", PERCOLATE_JEMALLOC_VERSION),
    KEY("epoch", UINT64, READ_WRITE, epoch),
    KEY("background_thread", BOOL, READ_WRITE, background),
    KEY("max_background_threads", SIZE, READ_WRITE, most_background),

    CREATES("tcache.create", UNSIGNED, READ, cache_create),
    KEY("tcache.flush", UNSIGNED, WRITE, cache_flush),
    KEY("tcache.destroy", UNSIGNED, WRITE, cache_destroy),

    KEY("thread.arena", UNSIGNED, READ_WRITE, thread_arena),
    KEY("thread.tcache.enabled", BOOL, READ_WRITE, thread_cache_enabled),
    ACTION("thread.tcache.flush", nothing_to_do),
    KEY("thread.prof.active", BOOL, READ_WRITE, thread_profile),
    ACTION("thread.idle", nothing_to_do),

    CONSTANT("config.cache_oblivious", BOOL, false),
    CONSTANT("config.debug", BOOL, false),
    CONSTANT("config.fill", BOOL, false),
    CONSTANT("config.lazy_lock", BOOL, false),
    TEXT("config.malloc_conf", ""),
    CONSTANT("config.opt_safety_checks", BOOL, false),
    CONSTANT("config.prof", BOOL, true),
    CONSTANT("config.prof_libgcc", BOOL, false),
    CONSTANT("config.prof_libunwind", BOOL, false),
    CONSTANT("config.stats", BOOL, true),
    CONSTANT("config.utrace", BOOL, false),
    CONSTANT("config.xmalloc", BOOL, false),

    CONSTANT("opt.abort", BOOL, false),
    CONSTANT("opt.abort_conf", BOOL, false),
    CONSTANT("opt.cache_oblivious", BOOL, false),
    CONSTANT("opt.confirm_conf", BOOL, false),
    CONSTANT("opt.retain", BOOL, true),
    TEXT("opt.dss", "disabled"),
    CONSTANT("opt.narenas", UNSIGNED, 1),
    TEXT("opt.percpu_arena", "disabled"),
    CONSTANT("opt.oversize_threshold", SIZE, 0),
    CONSTANT("opt.hpa", BOOL, false),
    TEXT("opt.metadata_thp", "disabled"),
    KEY("opt.background_thread", BOOL, READ, background_at_start),
    CONSTANT("opt.max_background_threads", SIZE, 1),
    KEY("opt.dirty_decay_ms", SSIZE, READ, dirty_decay_at_start),
    CONSTANT("opt.muzzy_decay_ms", SSIZE, 0),
    TEXT("opt.junk", "false"),
    CONSTANT("opt.zero", BOOL, false),
    KEY("opt.tcache", BOOL, READ, has_caches),
    CONSTANT("opt.tcache_max", SIZE, PERCOLATE_SMALL_MAX),
    KEY("opt.thp", STRING, READ, huge_pages),
    SETTING("opt.stats_print", BOOL, prints_statistics),
    SETTING("opt.stats_print_opts", STRING, print_options),
    CONSTANT("opt.stats_interval", SSIZE, -1),
    TEXT("opt.stats_interval_opts", ""),
    TEXT("opt.zero_realloc", "free"),
    CONSTANT("opt.prof", BOOL, true),
    SETTING("opt.prof_prefix", STRING, profile_prefix),
    KEY("opt.prof_active", BOOL, READ, profile_active_at_start),
    CONSTANT("opt.prof_thread_active_init", BOOL, true),
    KEY("opt.lg_prof_sample", SIZE, READ, profile_mean_at_start),
    CONSTANT("opt.prof_accum", BOOL, false),
    CONSTANT("opt.lg_prof_interval", SSIZE, -1),
    CONSTANT("opt.prof_gdump", BOOL, false),
    SETTING("opt.prof_final", BOOL, profiles_at_exit),
    SETTING("opt.prof_leak", BOOL, lists_leaks),
    CONSTANT("opt.prof_leak_error", BOOL, false),

    KEY("prof.active", BOOL, READ_WRITE, profile_active),
    KEY("prof.thread_active_init", BOOL, READ_WRITE, thread_profile),
    KEY("prof.lg_sample", SIZE, READ, profile_mean),
    CONSTANT("prof.interval", UINT64, 0),
    KEY("prof.prefix", STRING, WRITE, profile_prefix),
    KEY("prof.dump", STRING, WRITE, profile_dump),
    KEY("prof.reset", SIZE, WRITE, profile_reset),

    KEY("arena.*.initialized", BOOL, READ, arena_initialized),
    ACTION("arena.*.decay", arena_decay),
    ACTION("arena.*.purge", arena_purge),
    ACTION("arena.*.reset", arena_reset),
    ACTION("arena.*.destroy", arena_destroy),
    KEY("arena.*.dss", STRING, READ_WRITE, arena_dss),
    KEY("arena.*.dirty_decay_ms", SSIZE, READ_WRITE, dirty_decay),
    KEY("arena.*.muzzy_decay_ms", SSIZE, READ_WRITE, muzzy_decay),

    KEY("arenas.narenas", UNSIGNED, READ, arena_count),
    KEY("arenas.dirty_decay_ms", SSIZE, READ_WRITE, default_dirty_decay),
    KEY("arenas.muzzy_decay_ms", SSIZE, READ_WRITE, muzzy_decay),
    CONSTANT("arenas.quantum", SIZE, 16),
    CONSTANT("arenas.page", SIZE, 1 << PERCOLATE_PAGE_SHIFT),
    CONSTANT("arenas.tcache_max", SIZE, PERCOLATE_SMALL_MAX),
    KEY("arenas.nbins", UNSIGNED, READ, class_count),
    KEY("arenas.nhbins", UNSIGNED, READ, class_count),
    KEY("arenas.bin.*.size", SIZE, READ, class_size),
    KEY("arenas.bin.*.nregs", UINT32, READ, class_blocks),
    KEY("arenas.bin.*.slab_size", SIZE, READ, class_span),
    CONSTANT("arenas.nlextents", UNSIGNED, 0),
    CREATES("arenas.create", POINTER, READ_WRITE, arena_create),
    KEY("arenas.lookup", POINTER, READ_WRITE, arena_lookup),

    FIGURE("stats.allocated", SIZE, allocated),
    FIGURE("stats.active", SIZE, active),
    FIGURE("stats.metadata", SIZE, metadata),
    CONSTANT("stats.metadata_thp", SIZE, 0),
    FIGURE("stats.resident", SIZE, resident),
    FIGURE("stats.mapped", SIZE, mapped),
    FIGURE("stats.retained", SIZE, retained),
    KEY("stats.background_thread.num_threads", SIZE, READ, background_threads),
    TEXT("stats.arenas.*.dss", "disabled"),
    KEY("stats.arenas.*.dirty_decay_ms", SSIZE, READ, dirty_decay),
    KEY("stats.arenas.*.muzzy_decay_ms", SSIZE, READ, muzzy_decay),
    FIGURE("stats.arenas.*.pactive", SIZE, active_pages),
    FIGURE("stats.arenas.*.pdirty", SIZE, dirty_pages),
    FIGURE("stats.arenas.*.pmuzzy", SIZE, muzzy_pages),
    FIGURE("stats.arenas.*.small.allocated", SIZE, small_allocated),
    FIGURE("stats.arenas.*.small.nmalloc", UINT64, small_nmalloc),
    FIGURE("stats.arenas.*.small.ndalloc", UINT64, small_ndalloc),
    COUNTS("stats.arenas.*.small.nrequests", UINT64, small_requests),
    FIGURE("stats.arenas.*.small.nfills", UINT64, small_nfills),
    FIGURE("stats.arenas.*.small.nflushes", UINT64, small_nflushes),
    FIGURE("stats.arenas.*.large.allocated", SIZE, large_allocated),
    FIGURE("stats.arenas.*.large.nmalloc", UINT64, large_nmalloc),
    FIGURE("stats.arenas.*.large.ndalloc", UINT64, large_ndalloc),
    FIGURE("stats.arenas.*.large.nrequests", UINT64, large_nmalloc),
    FIGURE("stats.arenas.*.mapped", SIZE, mapped),
    FIGURE("stats.arenas.*.retained", SIZE, retained),
    FIGURE("stats.arenas.*.base", SIZE, metadata),
    CONSTANT("stats.arenas.*.internal", SIZE, 0),
    CONSTANT("stats.arenas.*.metadata_thp", SIZE, 0),
    FIGURE("stats.arenas.*.tcache_bytes", SIZE, cached),
    FIGURE("stats.arenas.*.resident", SIZE, resident),
    OF_CLASS("stats.arenas.*.bins.*.curregs", blocks),
    OF_CLASS("stats.arenas.*.bins.*.curslabs", spans),
};

const size_t percolate_key_count = sizeof percolate_keys / sizeof *percolate_keys;
