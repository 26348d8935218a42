/// Calls before constructors and after destructors: the constructors of the program and of
/// `early_library.c` allocate with the highest priority, and everything is freed in exit handlers
/// and destructors, which allocate too.
#include "check.h"

int constructors_run(void);

static void *from_constructor, *from_main;

__attribute__((constructor(101))) static void construct(void) {
    from_constructor = malloc(5000);
    CHECK(from_constructor != NULL);
    memset(from_constructor, 9, 5000);
}

static void at_exit(void) {
    void *block = realloc(from_main, 100000);
    CHECK(block != NULL && ((char *)block)[99] == 5);
    free(block);
    for (size_t size = 1; size < 2000000; size *= 2) free(calloc(1, size));
}

__attribute__((destructor(101))) static void destruct(void) {
    for (int i = 0; i < 5000; i++) CHECK(((char *)from_constructor)[i] == 9);
    free(from_constructor);
    for (size_t size = 1; size < 2000000; size *= 2) free(malloc(size));
}

int main(void) {
    watch("calls before constructors and after destructors", 60);
    CHECK(constructors_run() == 2);
    from_main = calloc(1, 100);
    memset(from_main, 5, 100);
    CHECK(atexit(at_exit) == 0);
    printf("main\n");
    return 0;
}
