/// What MALLOC_CONF can say, as it holds here: `opt.*`, and what a program may change while it
/// runs.
#ifndef PERCOLATE_JEMALLOC_SETTINGS_H
#define PERCOLATE_JEMALLOC_SETTINGS_H

#include "Key.h"

#pragma GCC visibility push(hidden)
/// `arena.<i>.dirty_decay_ms`: -1 is `release=never`, everything else `release=prompt`. What is
/// read is about the time that pages stay unused before they go back.
int percolate_answer_dirty_decay(struct percolate_key_query *query);
/// `arenas.dirty_decay_ms`: of arenas yet to be made, which will have no pages of their own.
int percolate_answer_default_dirty_decay(struct percolate_key_query *query);
/// `muzzy_decay_ms`: pages that go back go at once.
int percolate_answer_muzzy_decay(struct percolate_key_query *query);
/// `background_thread`: the scavenger. Switched off it ends, switched on it is made as soon as the
/// process has threads.
int percolate_answer_background(struct percolate_key_query *query);
/// `max_background_threads`: 1, or 0, which ends the scavenger.
int percolate_answer_most_background(struct percolate_key_query *query);
int percolate_answer_background_threads(struct percolate_key_query *query);

/// `opt.*`, as it was at start.
int percolate_answer_dirty_decay_at_start(struct percolate_key_query *query);
int percolate_answer_background_at_start(struct percolate_key_query *query);
/// The operand is the offset of a `bool` or of a string's bytes in the configuration.
int percolate_answer_from_configuration(struct percolate_key_query *query);
int percolate_answer_has_caches(struct percolate_key_query *query);
int percolate_answer_huge_pages(struct percolate_key_query *query);

/// The operand.
int percolate_answer_constant(struct percolate_key_query *query);
#pragma GCC visibility pop
#endif
