/// A program with a malloc of its own, as those have that link another allocator into themselves.
#include <stddef.h>
#include <stdio.h>

static char memory[1 << 20];
static size_t used;

void *malloc(size_t size) {
    used = (used + 15) & ~(size_t)15;
    if (size > sizeof memory - used) return NULL;
    void *block = memory + used;
    used += size;
    return block;
}

void free(void *block) { (void)block; }

int main(void) {
    puts("own malloc");
    return malloc(1) == NULL;
}
