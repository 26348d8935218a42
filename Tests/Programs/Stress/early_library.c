/// A library that allocates before main, before other constructors, and after main, and frees what
/// it allocated then in the respective other.
#include "check.h"

static void *blocks[64];
static int constructed;

static void fill_blocks(int first, int end) {
    for (int i = first; i < end; i++) {
        size_t size = (size_t)1 << (i % 20);
        blocks[i] = i % 2 ? malloc(size) : calloc(1, size);
        CHECK(blocks[i] != NULL);
        memset(blocks[i], i, size);
    }
}

static void end_blocks(int first, int end) {
    for (int i = first; i < end; i++) {
        for (size_t j = 0; j < (size_t)1 << (i % 20); j++) CHECK(((unsigned char *)blocks[i])[j] == i);
        free(blocks[i]);
    }
}

__attribute__((constructor(101))) static void first_constructor(void) {
    fill_blocks(0, 32);
    constructed++;
}

__attribute__((constructor)) static void last_constructor(void) {
    end_blocks(0, 16);
    fill_blocks(32, 64);
    constructed++;
}

__attribute__((destructor)) static void first_destructor(void) { end_blocks(16, 48); }

__attribute__((destructor(101))) static void last_destructor(void) {
    end_blocks(48, 64);
    fill_blocks(0, 16);
    end_blocks(0, 16);
    // The process may be past stdio: the raw line is the proof that this point was reached.
    static const char line[] = "after main: last destructor\n";
    CHECK(write(STDOUT_FILENO, line, sizeof line - 1) == sizeof line - 1);
}

int constructors_run(void) { return constructed; }
