/// What a debugger looks into: blocks whose state is known, and a place to stop at.
///
///   inspected [abort]     with `abort`, ends by SIGABRT there
#include "check.h"

char *used, *cached, *large;

__attribute__((noinline)) void stop_here(void) { __asm__ volatile("" ::: "memory"); }

int main(int count, char **texts) {
    used = malloc(1000);
    large = malloc(100000);
    CHECK(used != NULL && large != NULL);
    free(malloc(2000));
    cached = malloc(2000);
    free(cached);
    stop_here();
    if (count > 1 && strcmp(texts[1], "abort") == 0) abort();
    printf("inspected: not stopped\n");
    return 0;
}
