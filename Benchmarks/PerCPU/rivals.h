/// What per-CPU structures are measured beside: counters, lists and rings by atomic operations, one
/// or one for each shard, and under mutexes.
#ifndef RIVALS_H
#define RIVALS_H

#include <stddef.h>

struct rival_node {
    struct rival_node *next;
};

/// Makes `shards` of everything. Shard 0 is the one that everybody shares. Both sizes are powers of
/// two.
void rival_start(int shards, size_t ring_places, size_t ring_bytes);

/// An atomic addition of 1.
void rival_add(int shard);

/// An addition of 1 under the mutex.
void rival_locked_add(void);

/// A list with a compare-and-swap of its first node, which has a number beside it, against nodes
/// that come back.
void rival_push(int shard, struct rival_node *node);
struct rival_node *rival_pop(int shard);

/// A list under the mutex.
void rival_locked_push(struct rival_node *node);
struct rival_node *rival_locked_pop(void);

/// `count` pointers put into a ring, one after the other, and as many taken: a bounded queue with a
/// turn for each place.
void rival_move(int shard, void *const *pointers, int count);

/// `count` pointers copied into a ring under the shard's mutex, and as many out of it under the
/// mutex once more.
void rival_locked_move(int shard, void *const *pointers, int count);

/// The same with a record of bytes, which does not wrap around.
void rival_locked_move_record(int shard, const void *bytes, size_t size);

#endif
