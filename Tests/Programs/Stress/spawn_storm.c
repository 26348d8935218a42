/// Threads start programs by posix_spawn, system and popen, all at once, while others allocate.
///
///   spawn_storm [STARTS-PER-THREAD [THREADS]]
#include "check.h"

#include <spawn.h>

extern char **environ;

enum { most_threads = 16, allocating_threads = 2 };

static atomic_bool finished;
static uint64_t starts = 20, threads = 4;

static void *allocate(void *argument) {
    struct random random = {(uint64_t)(uintptr_t)argument};
    void *table[256] = {0};
    while (!atomic_load(&finished)) {
        void **slot = &table[random_below(&random, 256)];
        size_t size = random_below(&random, random_below(&random, 30) == 0 ? 300000 : 3000);
        *slot = realloc(*slot, size + 1);
        CHECK(*slot != NULL);
        memset(*slot, 1, size);
    }
    for (int i = 0; i < 256; i++) free(table[i]);
    return NULL;
}

static void spawn_program(bool with_actions) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    CHECK_ZERO(posix_spawn_file_actions_init(&actions));
    CHECK_ZERO(posix_spawnattr_init(&attributes));
    if (with_actions) CHECK_ZERO(posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", 0, 0));
    if (with_actions) CHECK_ZERO(posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP));
    char *arguments[] = {"true", NULL};
    pid_t child;
    CHECK_ZERO(posix_spawnp(&child, "true", &actions, &attributes, arguments, environ));
    expect_success(child, "a spawned program");
    CHECK_ZERO(posix_spawn_file_actions_destroy(&actions));
    CHECK_ZERO(posix_spawnattr_destroy(&attributes));
    // A program that cannot be started is an error of the call, and must leave the allocator as it
    // was.
    int error_number = posix_spawn(&child, "/no/such/program", NULL, NULL, arguments, environ);
    CHECK(error_number == ENOENT);
}

static void read_from_program(uint64_t number) {
    char command[64], line[64] = {0};
    snprintf(command, sizeof command, "echo answer %llu", (unsigned long long)number);
    FILE *pipe = popen(command, "r");
    CHECK(pipe != NULL);
    CHECK(fgets(line, sizeof line, pipe) != NULL);
    CHECK(strncmp(line, command + 5, strlen(command + 5)) == 0);
    CHECK(pclose(pipe) == 0);
}

static void *start_programs(void *argument) {
    uint64_t first = (uint64_t)(uintptr_t)argument;
    for (uint64_t i = 0; i < starts; i++) {
        void *block = malloc(1000 * (i % 100 + 1));
        CHECK(block != NULL);
        switch ((first + i) % 4) {
        case 0: spawn_program(false); break;
        case 1: spawn_program(true); break;
        case 2: CHECK(system("exit 7") == 7 << 8); break;
        default: read_from_program(i); break;
        }
        free(block);
    }
    return NULL;
}

int main(int count, char **texts) {
    if (count > 1) starts = number_argument(texts[1]);
    if (count > 2) threads = number_argument(texts[2]);
    CHECK(threads >= 1 && threads + allocating_threads <= most_threads);
    watch("starting programs", 110);
    pthread_t started[most_threads];
    for (uint64_t i = 0; i < threads + allocating_threads; i++)
        CHECK_ZERO(
            pthread_create(&started[i], NULL, i < threads ? start_programs : allocate, (void *)(uintptr_t)(i + 1)));
    for (uint64_t i = 0; i < threads; i++) CHECK_ZERO(pthread_join(started[i], NULL));
    atomic_store(&finished, true);
    for (uint64_t i = threads; i < threads + allocating_threads; i++) CHECK_ZERO(pthread_join(started[i], NULL));
    printf("spawn_storm: %llu programs\n", (unsigned long long)(starts * threads));
    return 0;
}
