/// Misuses of blocks, each of which ends the process when blocks are guarded.
///
///   misuse KIND SIZE
#include "samples.h"

#include <malloc.h>

#define KEPT __attribute__((noinline, noclone))

KEPT volatile char *allocate_here(size_t size) {
    volatile char *block = malloc(size);
    CHECK(block != NULL);
    memset((void *)block, 7, size);
    return block;
}

KEPT void free_here(volatile char *block) {
    free((void *)block);
    __asm__ volatile("");
}

/// operator delete(void *, std::align_val_t)
void _ZdlPvSt11align_val_t(void *block, size_t alignment) __attribute__((weak));

KEPT void free_aligned_here(volatile char *block, size_t alignment) {
    if (_ZdlPvSt11align_val_t) _ZdlPvSt11align_val_t((void *)block, alignment);
    __asm__ volatile("");
}

KEPT char use_here(volatile char *block, size_t position, bool write) {
    if (write) block[position] = 1;
    return write ? 0 : block[position];
}

static void *in_thread(void *block) {
    free_here(block);
    return NULL;
}

int main(int argc, char **argv) {
    CHECK(argc == 3);
    const char *kind = argv[1];
    size_t size = (size_t)atol(argv[2]);
    volatile char *block = allocate_here(size);
    printf("block %p\n", (void *)block);
    fflush(stdout);
    if (!strcmp(kind, "write-behind")) {
        use_here(block, size, true);
        free_here(block);
    } else if (!strcmp(kind, "write-behind-and-keep")) {
        use_here(block, size, true);
        return 0;
    } else if (!strcmp(kind, "write-behind-and-grow")) {
        use_here(block, size, true);
        return realloc((void *)block, size * 2) == NULL;
    } else if (!strcmp(kind, "read-behind")) {
        return use_here(block, size, false);
    } else if (!strcmp(kind, "read-freed")) {
        free_here(block);
        return use_here(block, 0, false);
    } else if (!strcmp(kind, "write-freed")) {
        free_here(block);
        use_here(block, size - 1, true);
    } else if (!strcmp(kind, "read-freed-by-another-thread")) {
        pthread_t thread;
        CHECK_ZERO(pthread_create(&thread, NULL, in_thread, (void *)block));
        CHECK_ZERO(pthread_join(thread, NULL));
        return use_here(block, 0, false);
    } else if (!strcmp(kind, "free-twice")) {
        free_here(block);
        free_here(block);
    } else if (!strcmp(kind, "write-freed-and-go-on")) {
        free_here(block);
        use_here(block, 0, true);
        // Until it leaves the quarantine, of whatever size.
        for (int round = 0; round < 100000; round++) free_here(allocate_here(size));
    } else if (!strcmp(kind, "free-twice-in-threads")) {
        pthread_t thread;
        CHECK_ZERO(pthread_create(&thread, NULL, in_thread, (void *)block));
        CHECK_ZERO(pthread_join(thread, NULL));
        free_here(block);
    } else if (!strcmp(kind, "grow-freed")) {
        free_here(block);
        return realloc((void *)block, size * 2) == NULL;
    } else if (!strcmp(kind, "free-inside")) {
        free_here(block + 8);
    } else if (!strcmp(kind, "free-aligned")) {
        free_aligned_here(block, 4096);
    } else if (!strcmp(kind, "size-of-freed")) {
        free_here(block);
        return malloc_usable_size((void *)block) == 0;
    } else if (!strcmp(kind, "none")) {
        use_here(block, size - 1, true);
        block = realloc((void *)block, size * 2);
        CHECK(malloc_usable_size((void *)block) >= size * 2 && block[size - 1] == 1);
        free_here(block);
        // More than wait in quarantine, and more than may be guarded at a time.
        for (int round = 0; round < 20000; round++) free_here(allocate_here(size));
        puts("misuse: none");
        return 0;
    } else {
        fail("what is %s?", kind);
    }
    puts("not noticed");
    return 0;
}
