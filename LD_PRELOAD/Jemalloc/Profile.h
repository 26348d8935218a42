/// `prof.*`: the heap profile, from sampled blocks (<percolate/samples.h>). Any process has it, and
/// has it switched on and off while it runs, so `opt.prof` is always true.
#ifndef PERCOLATE_JEMALLOC_PROFILE_H
#define PERCOLATE_JEMALLOC_PROFILE_H

#include "Key.h"

#pragma GCC visibility push(hidden)
/// `prof.active`: whether blocks are sampled, whoever switched it on.
int percolate_answer_profile_active(struct percolate_key_query *query);
/// `prof.lg_sample`: the binary logarithm of the mean number of bytes between samples, as it is or,
/// while none are taken, as it will be. ENOENT for a mean that is no power of two.
int percolate_answer_profile_mean(struct percolate_key_query *query);
/// `prof.reset`: forgets the live samples, and chooses another mean where one is written.
int percolate_answer_profile_reset(struct percolate_key_query *query);
/// `prof.dump`: writes the live samples to a file; by default `PREFIX.PID.SEQUENCE.mNUMBER.heap`.
int percolate_answer_profile_dump(struct percolate_key_query *query);
int percolate_answer_profile_prefix(struct percolate_key_query *query);
/// `thread.prof.active`, `prof.thread_active_init`: every thread is sampled, and cannot be left
/// out.
int percolate_answer_thread_profile(struct percolate_key_query *query);

/// `opt.*`, as it was at start.
int percolate_answer_profile_active_at_start(struct percolate_key_query *query);
int percolate_answer_profile_mean_at_start(struct percolate_key_query *query);

/// At the end of the process: what `prof_final:true` of MALLOC_CONF asks for.
void percolate_profile_at_exit(void);
#pragma GCC visibility pop
#endif
