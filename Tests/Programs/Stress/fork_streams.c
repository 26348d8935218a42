/// Forks while another thread flushes all streams, one of which has a write function that
/// allocates: that thread has libc's lock of the list of streams, and wants the allocator's, which
/// the forking thread has.
///
///   fork_streams ROUNDS
#include "check.h"

static atomic_long flushes;

static ssize_t write_through_a_buffer(void *unused, const char *bytes, size_t count) {
    (void)unused, (void)bytes;
    char *volatile buffer = malloc(200000);
    CHECK(buffer != NULL);
    buffer[0] = 1;
    free(buffer);
    return (ssize_t)count;
}

static void *flush(void *unused) {
    (void)unused;
    FILE *stream = fopencookie(NULL, "w", (cookie_io_functions_t){.write = write_through_a_buffer});
    CHECK(stream != NULL);
    for (;;) {
        fputs("x", stream);
        fflush(NULL);
        atomic_fetch_add(&flushes, 1);
    }
}

int main(int count, char **texts) {
    uint64_t rounds = count > 1 ? number_argument(texts[1]) : 500;
    watch("forks while streams are flushed", 100);
    pthread_t thread;
    CHECK_ZERO(pthread_create(&thread, NULL, flush, NULL));
    for (uint64_t round = 0; round < rounds; round++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            FILE *stream = fopen("/dev/null", "w");
            if (stream == NULL || fclose(stream) != 0) _exit(2);
            free(malloc(200000));
            _exit(0);
        }
        expect_success(child, "a child");
    }
    CHECK(flushes > 0);
    printf("fork_streams: %llu forks, %ld flushes\n", (unsigned long long)rounds, flushes);
    fflush(stdout);
    _exit(0);
}
