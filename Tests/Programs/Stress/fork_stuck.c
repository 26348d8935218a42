/// A fork that waits inside libc, for the lock of the list of streams: its owner flushes a stream
/// whose write function takes a second and allocates at its end, and frees many blocks. The flush
/// and the fork come to their ends, although signal handlers run in the forking thread, no
/// allocation of a third thread fails, and a counting scope that ends meanwhile is over.
#include "check.h"

#include <dlfcn.h>

#include <percolate/heap_interface.h>

enum { write_milliseconds = 1000, write_blocks = 20, most_blocks = 2000, block_size = 200000 };

static const struct percolate_heap_interface *heap;
static atomic_bool writes, written, forked;
static atomic_int signals;

static void *written_blocks[write_blocks];

static void handle(int number) {
    (void)number;
    signals++;
}

static ssize_t write_slowly(void *unused, const char *bytes, size_t count) {
    (void)unused, (void)bytes;
    writes = true;
    pause_microseconds(write_milliseconds * 1000);
    void *volatile block = malloc(block_size);
    CHECK(block != NULL);
    free(block);
    for (int i = 0; i < write_blocks; i++) free(written_blocks[i]);
    written = true;
    return (ssize_t)count;
}

static void *flush(void *stream) {
    fputs("x", stream);
    fflush(NULL);
    return NULL;
}

static void *allocate(void *unused) {
    static void *blocks[most_blocks];
    struct percolate_counting_scope scope;
    heap->begin_counting(&scope);
    while (!writes) sched_yield();
    int count = 0;
    while (!forked && count < most_blocks) CHECK((blocks[count++] = malloc(block_size)) != NULL);
    heap->end_counting(&scope);
    struct percolate_counting_scope ended = scope;
    for (int i = 0; i < count; i++) free(blocks[i]);
    CHECK(memcmp(&ended, &scope, sizeof scope) == 0);
    return unused;
}

static void *signal_main(void *main_thread) {
    while (!forked) {
        pthread_kill(*(pthread_t *)main_thread, SIGUSR1);
        pause_microseconds(20000);
    }
    return NULL;
}

int main(void) {
    heap = dlsym(RTLD_DEFAULT, "percolate_heap_interface");
    CHECK(heap != NULL && heap->version == PERCOLATE_HEAP_INTERFACE_VERSION);
    watch("a fork that waits inside libc", 60);
    for (int i = 0; i < write_blocks; i++) CHECK((written_blocks[i] = malloc(block_size)) != NULL);
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    FILE *stream = fopencookie(NULL, "w", (cookie_io_functions_t){.write = write_slowly});
    CHECK(stream != NULL);
    pthread_t flusher, allocator, signaller, self = pthread_self();
    CHECK_ZERO(pthread_create(&allocator, NULL, allocate, NULL));
    CHECK_ZERO(pthread_create(&flusher, NULL, flush, stream));
    CHECK_ZERO(pthread_create(&signaller, NULL, signal_main, &self));
    while (!writes) sched_yield();
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        free(malloc(block_size));
        _exit(0);
    }
    CHECK(written);
    forked = true;
    expect_success(child, "the child");
    CHECK_ZERO(pthread_join(flusher, NULL));
    CHECK_ZERO(pthread_join(allocator, NULL));
    CHECK_ZERO(pthread_join(signaller, NULL));
    CHECK(signals > 0);
    printf("fork_stuck: %d signals\n", signals);
    fflush(stdout);
    _exit(0);
}
