/// A process whose first thread ends before the others lives until the last one ends, and then ends
/// in order: handlers of exit run, in a thread that takes signals, and the status is 0. Also where
/// the allocator has a thread of its own.
///
///   first_thread exit|join|cancel|child
#include "check.h"

static pthread_t first;
static atomic_bool worked;

static void *work(void *unused) {
    (void)unused;
    free(malloc(100));
    pause_microseconds(50000);
    free(malloc(100000));
    atomic_store(&worked, true);
    return NULL;
}

static void *cancel(void *unused) {
    pause_microseconds(20000);
    CHECK_ZERO(pthread_cancel(first));
    return work(unused);
}

static void at_exit(void) {
    CHECK(atomic_load(&worked));
    sigset_t blocked;
    CHECK_ZERO(pthread_sigmask(SIG_SETMASK, NULL, &blocked));
    CHECK(sigismember(&blocked, SIGTERM) == 0);
    puts("first_thread: ended in order");
}

int main(int count, char **texts) {
    const char *how = count > 1 ? texts[1] : "exit";
    watch("the end of the first thread", 20);
    first = pthread_self();
    free(malloc(10));
    if (strcmp(how, "child") == 0) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child > 0) {
            expect_success(child, "a child whose first thread ends");
            puts("first_thread: the child ended in order");
            return 0;
        }
        watch("the end of the child's first thread", 20);
    }
    CHECK(atexit(at_exit) == 0);
    pthread_t thread;
    CHECK_ZERO(pthread_create(&thread, NULL, strcmp(how, "cancel") == 0 ? cancel : work, NULL));
    if (strcmp(how, "join") == 0) CHECK_ZERO(pthread_join(thread, NULL));
    if (strcmp(how, "cancel") == 0)
        for (;;) pause();
    pthread_exit(NULL);
}
