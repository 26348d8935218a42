/// The end of a process where there is little stack: in a thread of the least size, and in a signal
/// handler on an alternate stack of 8 KiB.
///
///   small_end exit|handler|statistics|double-free
#include "check.h"

#include <limits.h>
#include <malloc.h>

static const char *how;

static void *thread_body(void *unused) {
    (void)unused;
    free(malloc(100));
    if (strcmp(how, "statistics") == 0) {
        malloc_stats();
        return NULL;
    }
    if (write(STDOUT_FILENO, "small_end: in a thread\n", 23) != 23) fail("no output");
    exit(0);
}

static void handle(int number) {
    (void)number;
    if (strcmp(how, "double-free") == 0) {
        void *volatile block = malloc(16);
        free(block);
        free(block);
        fail("the double free was not seen");
    }
    if (write(STDOUT_FILENO, "small_end: in a handler\n", 24) != 24) fail("no output");
    _exit(0);
}

int main(int count, char **texts) {
    how = count > 1 ? texts[1] : "exit";
    watch("the end", 20);
    free(malloc(10));
    if (strcmp(how, "handler") == 0 || strcmp(how, "double-free") == 0) {
        stack_t alternate = {.ss_sp = map_zeroed(8192, false), .ss_size = 8192};
        CHECK(sigaltstack(&alternate, NULL) == 0);
        struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK};
        CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
        raise(SIGUSR1);
        fail("the handler returned");
    }
    pthread_attr_t attributes;
    CHECK_ZERO(pthread_attr_init(&attributes));
    CHECK_ZERO(pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN));
    pthread_t thread;
    CHECK_ZERO(pthread_create(&thread, &attributes, thread_body, NULL));
    CHECK_ZERO(pthread_join(thread, NULL));
    puts("small_end: after a thread");
    return 0;
}
