/// Leaves one block of 77 bytes, allocated in a signal handler on a stack of its own, that
/// interrupted a function with alloca, called by one that realigns its stack: frames that only
/// unwinding information describes. And three blocks of 1000 bytes of one place.
///
///   stacks [fork|vfork|many]
///
/// `fork`, `vfork`: a child ends first, which has copies of the parent's blocks, or its memory.
/// `many`: 20,000 blocks of 1000 bytes more.
#include "samples.h"

#include <alloca.h>

static void *volatile kept;
static void *volatile others[3];

__attribute__((noinline)) void handler(int number) {
    (void)number;
    kept = malloc(77);
    CHECK(kept != NULL);
}

__attribute__((noinline)) int interrupted(int count) {
    char *room = alloca((size_t)count * 100);
    memset(room, 1, (size_t)count * 100);
    CHECK(raise(SIGUSR1) == 0);
    return room[5];
}

__attribute__((noinline)) int realigned(int count) {
    volatile char room[64] __attribute__((aligned(64)));
    room[count] = (char)count;
    return interrupted(count) + room[count];
}

__attribute__((noinline)) void keep_three(void) {
    for (int index = 0; index < 3; index++) {
        others[index] = malloc(1000);
        // One call, not three.
        __asm__ volatile("" : "+r"(index));
    }
    free(malloc(2000));
}

int main(int argc, char **argv) {
    static char room[65536];
    stack_t stack = {.ss_sp = room, .ss_size = sizeof room};
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
    CHECK(sigaltstack(&stack, NULL) == 0 && sigaction(SIGUSR1, &action, NULL) == 0);
    keep_three();
    int result = realigned(3);
    if (argc > 1 && strcmp(argv[1], "many") == 0) {
        for (int index = 0; index < 20000; index++) kept = malloc(1000);
    } else if (argc > 1) {
        pid_t child = strcmp(argv[1], "fork") == 0 ? fork() : vfork();
        CHECK(child >= 0);
        if (child == 0) _exit(0);
        CHECK(waitpid(child, NULL, 0) == child);
    }
    return result == 0;
}
