/// What a debugger looks into: blocks whose state is known, and a place to stop at.
#include "check.h"

char *used, *cached, *large;

__attribute__((noinline)) void stop_here(void) { __asm__ volatile("" ::: "memory"); }

int main(void) {
    used = malloc(1000);
    large = malloc(100000);
    CHECK(used != NULL && large != NULL);
    free(malloc(2000));
    cached = malloc(2000);
    free(cached);
    stop_here();
    printf("inspected: not stopped\n");
    return 0;
}
