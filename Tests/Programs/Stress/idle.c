/// A burst on many threads, after which the process does nothing: what it held must go back to the
/// kernel although nobody calls the allocator. Then a second burst, and a fork whose child must
/// have one thread only.
///
///     idle THREADS MEBIBYTES [scavenger|none]
///
/// Prints resident sizes in KiB. The last argument says whether a thread named "percolate" must
/// exist after the first thread was made.
#include "check.h"
#include <dirent.h>

static pthread_barrier_t barrier;
static size_t bytes;

static long resident_kib(void) {
    FILE *file = fopen("/proc/self/smaps_rollup", "re");
    CHECK(file != NULL);
    char line[256];
    long result = -1;
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "Anonymous: %ld", &result) == 1) break;
    }
    fclose(file);
    CHECK(result >= 0);
    return result;
}

/// Threads of this process; `*scavengers` are those of the allocator, which must have every signal
/// blocked.
static int threads_now(int *scavengers) {
    int count = 0;
    *scavengers = 0;
    DIR *tasks = opendir("/proc/self/task");
    CHECK(tasks != NULL);
    for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        count++;
        char path[300], line[256];
        snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        FILE *file = fopen(path, "re");
        if (!file) continue;
        bool ours = false;
        while (fgets(line, sizeof line, file)) {
            if (strcmp(line, "Name:\tpercolate\n") == 0) ours = true;
            unsigned long long blocked;
            if (ours && sscanf(line, "SigBlk: %llx", &blocked) == 1) {
                // libc keeps signals 32 and 33 for itself: cancellation, and setuid(2) in all
                // threads.
                unsigned long long all = ~0ull & ~(1ull << 31) & ~(1ull << 32) & ~(1ull << 8) & ~(1ull << 18);
                if ((blocked & all) != all) fail("the scavenger has signals open: %llx", blocked);
            }
        }
        fclose(file);
        *scavengers += ours;
    }
    closedir(tasks);
    return count;
}

static void *burst(void *argument) {
    struct random random = {(uintptr_t)argument};
    size_t room = bytes / 64, count = 0;
    void **blocks = mmap(NULL, room * sizeof(void *), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(blocks != MAP_FAILED);
    for (int round = 0; round < 2; round++) {
        pthread_barrier_wait(&barrier);
        for (size_t held = 0; held < bytes && count < room; count++) {
            size_t size = 32 + random_below(&random, random_below(&random, 16) == 0 ? 20000 : 500);
            blocks[count] = malloc(size);
            CHECK(blocks[count] != NULL);
            memset(blocks[count], 1, size);
            held += size;
        }
        pthread_barrier_wait(&barrier);  // allocated
        pthread_barrier_wait(&barrier);  // measured
        while (count > 0) free(blocks[--count]);
        munmap(blocks, room * sizeof(void *));
        blocks = mmap(NULL, room * sizeof(void *), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(blocks != MAP_FAILED);
        pthread_barrier_wait(&barrier);
    }
    pthread_barrier_wait(&barrier);
    return NULL;
}

static void *nothing(void *argument) { return argument; }

int main(int argc, char **argv) {
    CHECK(argc == 4);
    int threads = atoi(argv[1]);
    bytes = (size_t)atoi(argv[2]) * 1048576 / (size_t)threads;
    int wanted = strcmp(argv[3], "scavenger") == 0;
    watch("idle", 120);
    int scavengers;
    free(malloc(1));
    CHECK(threads_now(&scavengers) == 1);
    CHECK(scavengers == 0);
    pthread_barrier_init(&barrier, NULL, (unsigned)threads + 1);
    pthread_t *handles = calloc((size_t)threads, sizeof *handles);
    for (int i = 0; i < threads; i++) CHECK_ZERO(pthread_create(&handles[i], NULL, burst, (void *)(uintptr_t)(i + 1)));
    pause_microseconds(300000);
    int count = threads_now(&scavengers);
    // It names itself: on a loaded machine not at once.
    for (int tries = 0; tries < 50 && scavengers != wanted; tries++) {
        pause_microseconds(100000);
        count = threads_now(&scavengers);
    }
    if (scavengers != wanted || count != threads + 1 + wanted) fail("%d threads, %d of the allocator", count, scavengers);
    long start = resident_kib();
    for (int round = 0; round < 2; round++) {
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
        long peak = resident_kib();
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
        uint64_t until = now_nanoseconds() + 10000000000u;
        long idle = 0;
        // A loaded machine is late: two seconds are the promise, ten the limit of the test.
        do {
            pause_microseconds(500000);
            idle = resident_kib();
        } while (wanted && idle > start + 4096 && now_nanoseconds() < until);
        printf("idle: start %ld peak %ld after %ld\n", start, peak, idle);
        fflush(stdout);
        CHECK(peak > start + atoi(argv[2]) * 512);
        if (wanted) CHECK(idle <= start + 4096);
    }
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK(threads_now(&scavengers) == 1);
        pthread_t thread;
        CHECK_ZERO(pthread_create(&thread, NULL, nothing, NULL));
        CHECK_ZERO(pthread_join(thread, NULL));
        pause_microseconds(100000);
        CHECK(threads_now(&scavengers) == 1);
        free(malloc(100000));
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < threads; i++) CHECK_ZERO(pthread_join(handles[i], NULL));
    free(handles);
    printf("idle: passed\n");
}
