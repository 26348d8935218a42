/// Makes the scavenger (Sources/Core/Heap/Scavenger.swift) in a process that makes threads.
///
/// pthread_create is where a program says that it has threads, and a place where the calling thread is not inside malloc. The
/// scavenger is made by pthread_create as well, so libc knows it: setuid(2) and its like reach every thread.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "core.h"

typedef int (*create_function)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

static void *scavenge(void *unused) {
    pthread_setname_np(pthread_self(), "percolate");
    percolate_scavenge();
    return unused;
}

/// Where threads or addresses are short it cannot be made: then pages go back when they come free, as in a process without threads.
/// It inherits that all signals are blocked: those of the program are not its business.
static void make(create_function create) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) return;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    create(&thread, &attributes, scavenge, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
}

__attribute__((visibility("default"))) int pthread_create(
    pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *argument) {
    static _Atomic(create_function) next;
    create_function create = atomic_load_explicit(&next, memory_order_relaxed);
    if (!create) {
        create = (create_function)dlsym(RTLD_NEXT, "pthread_create");
        if (!create) return EAGAIN;
        atomic_store_explicit(&next, create, memory_order_relaxed);
    }
    int result = create(thread, attributes, body, argument);
    if (result == 0 && percolate_scavenger_is_wanted() && percolate_scavenger_claim()) make(create);
    return result;
}
