// A program with a malloc of its own that lacks some of the names. As with glibc, what it lacks
// goes with what it has.
#include "check.h"

static char arena[1 << 20];
static size_t used;

void *malloc(size_t size) {
    size_t *block = (size_t *)(arena + used);
    used += (size + 31) / 16 * 16;
    if (used > sizeof arena) abort();
    *block = size;
    return block + 2;
}

void free(void *block) { (void)block; }

void *calloc(size_t count, size_t size) { return malloc(count * size); }

void *realloc(void *block, size_t size) {
    void *moved = malloc(size);
    if (block) memcpy(moved, block, ((size_t *)block)[-2] < size ? ((size_t *)block)[-2] : size);
    return moved;
}

static int is_ours(const void *block) { return (const char *)block >= arena && (const char *)block < arena + sizeof arena; }

static void reallocarray_goes_with_the_program() {
    char *block = reallocarray(NULL, opaque(10), 10);
    EXPECT(is_ours(block), "a block of the program");
    fill(block, 100, 1);
    block = reallocarray(block, opaque(20), 10);
    EXPECT(is_ours(block), "a block of the program");
    EXPECT(first_difference(block, 100, 1) == 100, "the contents to be kept");
    errno = 0;
    EXPECT(!reallocarray(block, opaque(SIZE_MAX), 2) && errno == ENOMEM, "the overflow to be noticed");
}

int main(int argc, char **argv) {
    static const struct test_case cases[] = {CASE(reallocarray_goes_with_the_program)};
    return RUN_CASES(cases);
}
