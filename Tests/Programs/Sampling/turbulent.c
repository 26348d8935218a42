/// Grows while other things happen to it, so that somebody can take its profile meanwhile.
///
///   turbulent forks|execs|ends|waits
///
/// It keeps blocks of 5000 bytes of one place, and says `ready` after the first ones. `forks`:
/// children come and go, which grow too. `execs`, `ends`: 1.5 seconds later. `waits`: nothing
/// happens.
#include "samples.h"

static void *volatile kept;

__attribute__((noinline, noclone)) void keep_growing(void) {
    void **block = malloc(5000);
    CHECK(block != NULL);
    *block = kept;
    kept = block;
    __asm__ volatile("");
}

static uint64_t milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    for (int block = 0; block < 20; block++) keep_growing();
    CHECK(puts("ready") >= 0 && fflush(stdout) == 0);
    uint64_t start = milliseconds();
    while (milliseconds() - start < 20000) {
        for (int block = 0; block < 2; block++) keep_growing();
        usleep(1000);
        if (strcmp(argv[1], "forks") == 0) {
            pid_t child = fork();
            CHECK(child >= 0);
            if (child == 0) {
                for (int block = 0; block < 100; block++) keep_growing();
                _exit(0);
            }
            CHECK(waitpid(child, NULL, 0) == child);
        }
        bool is_late = milliseconds() - start > 1500;
        if (is_late && strcmp(argv[1], "ends") == 0) return 0;
        if (is_late && strcmp(argv[1], "execs") == 0) execl("/bin/sleep", "sleep", "5", (char *)NULL);
    }
    return 0;
}
