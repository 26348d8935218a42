#ifndef PERCOLATE_PERCPU_LIFO_H
#define PERCOLATE_PERCPU_LIFO_H

/// A list for each CPU, last in first out, of nodes that the program has: what was pushed last on a
/// CPU is popped first there, still warm in its cache.
///
/// A node may be freed as soon as it was popped: a sequence that was about to read its successor is
/// aborted before it does, and a vector reads that in a way which may fail. All but creation may be
/// called from any thread and in signal handlers.

#include <percolate/percpu_pool.h>

/// The first member of what is pushed.
struct percpu_lifo_node {
    struct percpu_lifo_node *next;
};

struct percpu_lifo {
    struct percpu_pool *pool;
    /// Part 0: the address of the first node, or 0.
    intptr_t *head;
};

/// Makes empty lists, in a pool whose items have eight bytes or more. 0, or -1 with errno: EINVAL,
/// ENOMEM.
static inline int percpu_lifo_create(struct percpu_lifo *lifo, struct percpu_pool *pool) {
    lifo->pool = pool;
    lifo->head = PERCPU_ALLOCATE(pool, intptr_t);
    return lifo->head ? 0 : -1;
}

/// Nodes that are still in the lists stay as they are.
static inline void percpu_lifo_destroy(struct percpu_lifo *lifo) {
    percpu_pool_free(lifo->pool, lifo->head);
}

/// 0; 1 when somebody was faster; -1 with errno.
static inline int percpu_lifo_try_push(const struct percpu_lifo *lifo,
                                       struct percpu_lifo_node *node, int index,
                                       enum percpu_way way) {
    intptr_t *head = PERCPU_PART(lifo->pool, lifo->head, index);
    intptr_t first = percpu_load(head);
    node->next = (struct percpu_lifo_node *)first;
    return PERCPU_BY_WAY(way, lifo->pool->by, cmpeqv_storev, head, first, (intptr_t)node, index);
}

/// Pushes onto the list of the calling CPU. 0, or -1 with errno: there is no such list.
static inline int percpu_lifo_push(const struct percpu_lifo *lifo, struct percpu_lifo_node *node) {
    int result;
    do {
        result = percpu_lifo_try_push(lifo, node, percpu_current(lifo->pool->by), PERCPU_HERE);
    } while (result > 0);
    return result;
}

/// Pushes onto the list of `index`, by a vector.
static inline int percpu_lifo_push_on(const struct percpu_lifo *lifo, struct percpu_lifo_node *node,
                                      int index) {
    int result;
    do {
        result = percpu_lifo_try_push(lifo, node, index, PERCPU_REMOTE);
    } while (result > 0);
    return result;
}

/// Pops from the list of the calling CPU; null when it is empty.
static inline struct percpu_lifo_node *percpu_lifo_pop(const struct percpu_lifo *lifo) {
    enum percpu_index by = lifo->pool->by;
    int index = percpu_current(by);
    intptr_t *head = PERCPU_PART(lifo->pool, lifo->head, index), node = 0;
    int result = PERCPU_OPERATE(by, cmpnev_storeoffp_load, head, 0,
                                (intptr_t)offsetof(struct percpu_lifo_node, next), &node, index);
    return result == 0 ? (struct percpu_lifo_node *)node : NULL;
}

/// Pops from the list of `index`, by a vector.
static inline struct percpu_lifo_node *percpu_lifo_pop_on(const struct percpu_lifo *lifo,
                                                          int index) {
    intptr_t *head = PERCPU_PART(lifo->pool, lifo->head, index), node = 0;
    int result = PERCPU_VECTOR(lifo->pool->by, cmpnev_storeoffp_load, head, 0,
                               (intptr_t)offsetof(struct percpu_lifo_node, next), &node, index);
    return result == 0 ? (struct percpu_lifo_node *)node : NULL;
}

/// Pops from the calling CPU's list, or where that is empty from any other; null when all were
/// empty as they were looked at.
static inline struct percpu_lifo_node *percpu_lifo_pop_any(const struct percpu_lifo *lifo) {
    struct percpu_lifo_node *node = percpu_lifo_pop(lifo);
    for (int index = 0; node == NULL && index < lifo->pool->count; index++) {
        if (percpu_load(PERCPU_PART(lifo->pool, lifo->head, index)) != 0) {
            node = percpu_lifo_pop_on(lifo, index);
        }
    }
    return node;
}

/// Takes all nodes of `index` by one vector: the first, which leads to the others; null when there
/// were none.
static inline struct percpu_lifo_node *percpu_lifo_take_on(const struct percpu_lifo *lifo,
                                                           int index) {
    intptr_t *head = PERCPU_PART(lifo->pool, lifo->head, index), first = 0;
    if (percpu_load(head) == 0) {
        return NULL;
    }
    if (percpu_exchange(lifo->pool->by, head, 0, &first, index) != 0) {
        return NULL;
    }
    return (struct percpu_lifo_node *)first;
}

/// Takes all nodes of all lists, one list after the other, and hands each to `body`, which may free
/// it.
static inline void percpu_lifo_drain(const struct percpu_lifo *lifo,
                                     void (*body)(struct percpu_lifo_node *node, void *context),
                                     void *context) {
    PERCPU_FOR_EACH(index, lifo->pool) {
        struct percpu_lifo_node *node = percpu_lifo_take_on(lifo, index);
        while (node) {
            struct percpu_lifo_node *next = node->next;
            body(node, context);
            node = next;
        }
    }
}

#endif
