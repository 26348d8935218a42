// A process to be looked at from outside.
//
//     observed wait    allocates, says what mallinfo2 says, and waits for a line on standard input before it says it again and ends
//     observed loop    the same, but allocates and frees one block after the other meanwhile, which its cache serves
//     observed fork    the same, with a child born every millisecond
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void *blocks[3000];

static void say(void) {
    struct mallinfo2 info = mallinfo2();
    char line[64];
    int length = snprintf(line, sizeof line, "%zu\n", info.uordblks + info.hblkhd);
    if (write(1, line, (size_t)length) != length) abort();
}

static int is_told_to_end(int milliseconds) {
    struct pollfd input = {.fd = 0, .events = POLLIN};
    return poll(&input, 1, milliseconds) > 0;
}

int main(int count, char **arguments) {
    const char *mode = count > 1 ? arguments[1] : "wait";
    for (int i = 0; i < 3000; i++) {
        blocks[i] = malloc(i < 2990 ? (size_t)(i + 1) : 200000);
        if (!blocks[i]) abort();
        memset(blocks[i], 1, i < 2990 ? (size_t)(i + 1) : 200000);
    }
    // Free pages that a trim gives back.
    for (int i = 0; i < 3000; i += 2) free(blocks[i]);
    say();
    if (strcmp(mode, "wait") == 0) is_told_to_end(-1);
    while (strcmp(mode, "loop") == 0 && !is_told_to_end(0)) {
        for (int i = 0; i < 1000; i++) free(malloc(100));
    }
    while (strcmp(mode, "fork") == 0 && !is_told_to_end(1)) {
        free(malloc(100));
        pid_t child = fork();
        if (child == 0) _exit(malloc(3000) == NULL);
        if (child < 0 || waitpid(child, NULL, 0) != child) abort();
    }
    say();
    return 0;
}
