/// The earliest call there is: an indirect function's resolver allocates while the program is still
/// being relocated, before the C library has initialised itself. The blocks live on and are freed
/// by main.
#include "check.h"

static void *blocks[3];

static int implementation(void) { return 42; }

static int (*resolve(void))(void) {
    blocks[0] = malloc(100);
    blocks[1] = calloc(10, 500);
    free(malloc(1000));
    blocks[2] = realloc(malloc(30), 300000);
    for (int i = 0; i < 100; i++) ((volatile char *)blocks[0])[i] = 7;
    return implementation;
}

static int indirect(void) __attribute__((ifunc("resolve")));

int main(void) {
    CHECK(indirect() == 42);
    for (int i = 0; i < 3; i++) CHECK(blocks[i] != NULL);
    for (int i = 0; i < 100; i++) CHECK(((char *)blocks[0])[i] == 7);
    for (int i = 0; i < 5000; i++) CHECK(((char *)blocks[1])[i] == 0);
    for (int i = 0; i < 3; i++) free(blocks[i]);
    printf("resolver: served\n");
    return 0;
}
