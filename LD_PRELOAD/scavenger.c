/// Makes the scavenger (Sources/Core/Heap/Scavenger.swift) in a process that makes threads.
///
/// pthread_create is where a program says that it has threads, and a place where the calling thread
/// is not inside malloc. The scavenger is made by pthread_create as well, so libc knows it:
/// setuid(2) and its like reach every thread.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <percolate/syscalls.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>

#include "core.h"
#include "libc_function.h"

typedef int (*create_function)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

static void *scavenge(void *unused) {
    if (!percolate_is_restricted()) percolate_syscall6(SYS_prctl, PR_SET_NAME, (long)"percolate", 0, 0, 0, 0);
    percolate_scavenge();
    return unused;
}

static pthread_t scavenger;
static bool is_made;

/// Looked up where the scavenger is made, so that neither it nor the end of the first thread takes
/// the loader's lock.
static struct {
    __typeof__(&pthread_attr_setstacksize) attr_setstacksize;
    __typeof__(&pthread_join) join;
    __typeof__(&pthread_key_create) key_create;
    __typeof__(&pthread_setspecific) setspecific;
} functions;

static bool look_up_functions(void) {
    functions.attr_setstacksize = PERCOLATE_NEXT(pthread_attr_setstacksize);
    functions.join = PERCOLATE_NEXT(pthread_join);
    functions.key_create = PERCOLATE_NEXT(pthread_key_create);
    functions.setspecific = PERCOLATE_NEXT(pthread_setspecific);
    return functions.attr_setstacksize && functions.join && functions.key_create && functions.setspecific;
}

/// The destructor of a value that only the process's first thread has: so that thread ends, by
/// pthread_exit(3) or cancelled, and the process goes on until its last thread ends. libc counts
/// the scavenger, so it has to be gone by then.
static void first_thread_ends(void *unused) {
    (void)unused;
    if (!percolate_scavenger_retire() || !is_made) return;
    percolate_stop_scavenger();
    functions.join(scavenger, NULL);
}

static bool expects_end_of_first_thread(void) {
    static pthread_key_t key;
    static bool has_key;
    if (!has_key) has_key = functions.key_create(&key, first_thread_ends) == 0;
    return has_key && functions.setspecific(key, &scavenger) == 0;
}

/// The scavenger's stack: all of it is resident under mlockall(MCL_FUTURE).
enum { STACK = 262144 };

/// Where threads or addresses are short it cannot be made: then pages go back when they come free,
/// as in a process without threads. It inherits that all signals are blocked: those of the program
/// are not its business. Nor is a real-time priority of its maker. In a process that restricts its
/// system calls it does without what pthread_create does not call itself.
static void make(create_function create) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_attr_t attributes;
    if (!look_up_functions() || !expects_end_of_first_thread() || pthread_attr_init(&attributes) != 0) return;
    functions.attr_setstacksize(&attributes, STACK);
    int policy = percolate_is_restricted() ? SCHED_OTHER : sched_getscheduler(0) & ~SCHED_RESET_ON_FORK;
    if (policy == SCHED_FIFO || policy == SCHED_RR) pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
    // In glibc what pthread_sigmask(3) is, and in libc from the first.
    sigprocmask(SIG_SETMASK, &all, &before);
    is_made = create(&scavenger, &attributes, scavenge, NULL) == 0;
    sigprocmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
}

/// libc's own pthread_create, NULL where there is none.
static create_function libc_create(void) {
    static _Atomic(create_function) next;
    create_function create = atomic_load_explicit(&next, memory_order_relaxed);
    if (!create) {
        create = PERCOLATE_NEXT(pthread_create);
        if (create) atomic_store_explicit(&next, create, memory_order_relaxed);
    }
    return create;
}

void percolate_enable_scavenger(bool is_wanted) {
    percolate_set_background(is_wanted);
    if (!is_wanted) {
        // Nobody else claims or ends it meanwhile.
        if (!percolate_scavenger_retire()) return;
        if (is_made) {
            percolate_stop_scavenger();
            functions.join(scavenger, NULL);
            percolate_allow_scavenger();
            is_made = false;
        }
        percolate_scavenger_allow_claim();
        return;
    }
    create_function create = libc_create();
    if (!create || percolate_is_single_threaded()) return;
    if (percolate_scavenger_is_wanted() && percolate_scavenger_claim()) make(create);
}

bool percolate_scavenger_lives(void) { return percolate_scavenger_is_claimed() && is_made; }

__attribute__((visibility("default"))) int pthread_create(
    pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *argument) {
    create_function create = libc_create();
    if (!create) return EAGAIN;
    int result = create(thread, attributes, body, argument);
    if (result == 0 && percolate_scavenger_is_wanted() && percolate_scavenger_claim()) make(create);
    return result;
}
