/// Thread caches as a program sees them. Caches belong to CPUs here: a thread has none that could
/// be made, emptied or switched off, so all of this holds without being done.
#ifndef PERCOLATE_JEMALLOC_THREAD_CACHES_H
#define PERCOLATE_JEMALLOC_THREAD_CACHES_H

#include "Key.h"

#pragma GCC visibility push(hidden)
/// `tcache.*`
int percolate_answer_cache_create(struct percolate_key_query *query);
int percolate_answer_cache_flush(struct percolate_key_query *query);
int percolate_answer_cache_destroy(struct percolate_key_query *query);
/// `thread.tcache.enabled`: what the thread wrote at last.
int percolate_answer_thread_cache_enabled(struct percolate_key_query *query);
/// `thread.tcache.flush`, `thread.idle`
int percolate_answer_nothing_to_do(struct percolate_key_query *query);
#pragma GCC visibility pop
#endif
