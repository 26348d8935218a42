/// Huge pages where the process asked for them: dense memory has them, and what is told of blocks
/// stays right.
///
///     huge small|growing|sizes
#include "check.h"
#include <dlfcn.h>
#include <malloc.h>

/// KiB of this process in huge pages.
static long huge_kib(void) {
    FILE *file = fopen("/proc/self/smaps_rollup", "re");
    CHECK(file != NULL);
    char line[256];
    long value = -1;
    while (value < 0 && fgets(line, sizeof line, file) != NULL) sscanf(line, "AnonHugePages: %ld", &value);
    fclose(file);
    CHECK(value >= 0);
    return value;
}

/// Whether the kernel backs memory of the program's own by huge pages now: it may have none.
static bool machine_gives(long mebibytes) {
    size_t size = (size_t)(mebibytes + 2) << 20;
    long before = huge_kib();
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED && madvise(memory, size, MADV_HUGEPAGE) == 0);
    for (size_t i = 0; i < size; i += 4096) memory[i] = 1;
    bool gives = (huge_kib() - before) / 1024 >= mebibytes - 2;
    munmap(memory, size);
    return gives;
}

static void expect_huge(long least_mebibytes) {
    long value = huge_kib() / 1024;
    if (value < least_mebibytes && !machine_gives(least_mebibytes)) {
        printf("huge: the machine has not enough of them\n");
        return;
    }
    if (value < least_mebibytes) fail("%ld MiB are in huge pages, fewer than %ld", value, least_mebibytes);
}

/// A heap of small blocks that grows to 96 MiB: all but its beginning.
static void small(void) {
    for (size_t sum = 0; sum < (size_t)96 << 20; sum += 1000) {
        char *block = malloc(1000);
        CHECK(block != NULL);
        memset(block, 1, 1000);
    }
    expect_huge(76);
}

/// Blocks that grow by realloc, in turn, so that each has to move: their bytes move with them.
static void growing(void) {
    enum { count = 3 };
    static unsigned char *blocks[count];
    size_t size = 1 << 20, old = 0;
    while (size < (size_t)60 << 20) {
        for (int at = 0; at < count; at++) {
            blocks[at] = realloc(blocks[at], size);
            CHECK(blocks[at] != NULL);
            for (size_t i = 0; i < size; i += 4096) {
                unsigned char byte = (unsigned char)(i / 4096 * 7 + (size_t)at);
                if (i < old && blocks[at][i] != byte) fail("byte %zu of block %d is lost at %zu", i, at, size);
                blocks[at][i] = byte;
            }
        }
        old = (size + 4095) / 4096 * 4096;
        size = size / 2 * 3;
    }
    expect_huge((long)(count * (old >> 20)) * 3 / 4);
    for (int at = 0; at < count; at++) free(blocks[at]);
}

/// Every size may be asked for, grown to, shrunk to and freed by, the first one included.
static void sizes(void) {
    void (*free_sized)(void *, size_t) = (void (*)(void *, size_t))dlsym(RTLD_DEFAULT, "free_sized");
    size_t (*nallocx)(size_t, int) = (size_t (*)(size_t, int))dlsym(RTLD_DEFAULT, "nallocx");
    CHECK(free_sized != NULL && nallocx != NULL);
    struct random random = {11};
    for (int round = 0; round < 400; round++) {
        size_t size = ((size_t)3 << 20) + random_next(&random) % ((size_t)9 << 20);
        char *block = round % 3 ? malloc(size) : calloc(1, size);
        CHECK(block != NULL && malloc_usable_size(block) >= size);
        CHECK(malloc_usable_size(block) == nallocx(size, 0));
        if (round % 3 == 0) CHECK(block[0] == 0 && block[size / 2] == 0 && block[size - 1] == 0);
        block[0] = block[size - 1] = 1;
        if (round % 2) {
            size = ((size_t)3 << 20) + random_next(&random) % ((size_t)9 << 20);
            block = realloc(block, size);
            CHECK(block != NULL && block[0] == 1 && malloc_usable_size(block) >= size);
            block[size - 1] = 1;
        }
        free_sized(block, size);
    }
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    if (strcmp(argv[1], "small") == 0) small();
    else if (strcmp(argv[1], "growing") == 0) growing();
    else if (strcmp(argv[1], "sizes") == 0) sizes();
    else fail("no such kind: %s", argv[1]);
    printf("huge: passed\n");
    return 0;
}
