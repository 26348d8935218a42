// A program that brings jemalloc's variables: its configuration, and the function that messages go
// to.
#include "jemalloc.h"

const char *malloc_conf = "dirty_decay_ms:-1,narenas:1";

static size_t length;

static void take(void *argument, const char *text) {
    (void)argument;
    length += strlen(text);
}

extern void (*malloc_message)(void *, const char *);
void (*malloc_message)(void *, const char *) = take;

// The argument is the time that must hold: -1 where the environment says none.
int main(int argc, char **argv) {
    ssize_t expected = argc > 1 ? atol(argv[1]) : -1;
    ssize_t time = READ(ssize_t, "opt.dirty_decay_ms");
    EXPECT(time == expected, "%zd ms, it is %zd", expected, time);
    malloc_stats_print(NULL, NULL, "");
    EXPECT(length > 1000, "the statistics to go to the program's function, %zu bytes came", length);
    return failures != 0;
}
