/// Arenas as a program sees them: number 0 is the heap. Those that the program creates are numbers:
/// the heap serves them all.
#ifndef PERCOLATE_JEMALLOC_ARENAS_H
#define PERCOLATE_JEMALLOC_ARENAS_H

#include "Key.h"

#pragma GCC visibility push(hidden)
/// Whether `arena.<number>.` is a name.
bool percolate_arena_may_be_named(size_t number);

/// `arenas.*`
int percolate_answer_arena_count(struct percolate_key_query *query);
int percolate_answer_arena_create(struct percolate_key_query *query);
int percolate_answer_arena_lookup(struct percolate_key_query *query);
/// `arena.<i>.*`
int percolate_answer_arena_initialized(struct percolate_key_query *query);
int percolate_answer_arena_purge(struct percolate_key_query *query);
int percolate_answer_arena_decay(struct percolate_key_query *query);
int percolate_answer_arena_reset(struct percolate_key_query *query);
int percolate_answer_arena_destroy(struct percolate_key_query *query);
int percolate_answer_arena_dss(struct percolate_key_query *query);
/// `thread.arena`
int percolate_answer_thread_arena(struct percolate_key_query *query);
#pragma GCC visibility pop
#endif
