// Promises of realloc and reallocarray.
#include "resident.h"

static const size_t borders[] = {
    1,    8,    9,    16,    17,    32,    48,    64,    65,    100,   128,    129,    160,    255,     256,
    257,  511,  513,  1000,  1024,  1025,  2047,  2049,  4095,  4096,  4097,   8192,   8193,   16384,   16385,
    30000, 32768, 32769, 65536, 65537, 100000, 131072, 131073, 262144, 262145, 524289, 1048576, 1048577, 2500000};
enum { border_count = sizeof borders / sizeof borders[0] };

static void realloc_null(void) {
    for (int i = 0; i < border_count; i++) {
        void *block = realloc(NULL, borders[i]);
        REQUIRE(block != NULL, "realloc(NULL, %zu) to be malloc(%zu)", borders[i], borders[i]);
        EXPECT(malloc_usable_size(block) >= borders[i], "realloc(NULL, %zu) to give that much", borders[i]);
        EXPECT(is_aligned(block, fundamental_alignment(borders[i])), "an aligned block, got %p", block);
        memset(block, 1, borders[i]);
        free(block);
    }
    void *block = realloc(NULL, opaque(0));
    EXPECT(block != NULL, "realloc(NULL, 0) to be malloc(0), a block");
    free(block);
}

// As glibc has it, and as the Linux man page says: the block is freed and NULL returned. Were it
// not freed, 256 MiB would be resident after each size.
static void realloc_zero(void) {
    static const size_t sizes[] = {16, 1000, 20000, 200000, 1048576};
    for (int s = 0; s < 5; s++) {
        for (size_t sum = 0; sum < (size_t)256 << 20; sum += sizes[s]) {
            void *block = malloc(sizes[s]);
            REQUIRE(block != NULL, "malloc(%zu) to work", sizes[s]);
            memset(block, 1, sizes[s]);
            EXPECT(realloc(block, opaque(0)) == NULL, "realloc(block of %zu, 0) to return NULL", sizes[s]);
        }
        long resident = resident_mib();
        EXPECT(resident < 100, "realloc(block of %zu, 0) to free, %ld MiB are resident", sizes[s], resident);
    }
}

// Every pair of borders, both ways: the common part keeps its bytes and all of the new size can be
// written.
static void realloc_keeps_contents(void) {
    for (int from = 0; from < border_count; from++) {
        for (int to = 0; to < border_count; to++) {
            if (borders[from] > 300000 && borders[to] > 300000 && (from + to) % 2 != 0) continue;
            unsigned seed = (unsigned)(from * border_count + to);
            void *block = malloc(borders[from]);
            REQUIRE(block != NULL, "malloc(%zu) to work", borders[from]);
            fill(block, borders[from], seed);
            void *resized = realloc(block, borders[to]);
            REQUIRE(resized != NULL, "realloc from %zu to %zu to work", borders[from], borders[to]);
            size_t common = borders[from] < borders[to] ? borders[from] : borders[to];
            size_t place = first_difference(resized, common, seed);
            EXPECT(place == common, "realloc from %zu to %zu to keep byte %zu", borders[from], borders[to], place);
            EXPECT(is_aligned(resized, fundamental_alignment(borders[to])), "realloc from %zu to %zu to be aligned",
                   borders[from], borders[to]);
            EXPECT(malloc_usable_size(resized) >= borders[to], "realloc from %zu to %zu to give that much",
                   borders[from], borders[to]);
            memset(resized, 0x77, malloc_usable_size(resized));
            free(resized);
        }
    }
}

// One block grows and shrinks through all sizes up to 64 MiB while others live around it.
static void realloc_up_to_64_mib(void) {
    size_t size = 1;
    unsigned char *block = (unsigned char *)malloc(size);
    REQUIRE(block != NULL, "malloc(1) to work");
    fill(block, size, 9);
    void *between[400];
    int steps = 0;
    while (size < (size_t)64 << 20) {
        size_t next = size + size / 3 + 1;
        block = (unsigned char *)realloc(block, next);
        REQUIRE(block != NULL, "realloc to %zu to work", next);
        size_t place = first_difference(block, size, 9);
        EXPECT(place == size, "growing from %zu to %zu to keep byte %zu", size, next, place);
        fill(block, next, 9);
        size = next;
        between[steps++] = malloc(size / 64 + 1);
    }
    while (size > 1) {
        size_t next = size - size / 3 - 1;
        if (next == 0) next = 1;
        block = (unsigned char *)realloc(block, next);
        REQUIRE(block != NULL, "realloc to %zu to work", next);
        size_t place = first_difference(block, next, 9);
        EXPECT(place == next, "shrinking from %zu to %zu to keep byte %zu", size, next, place);
        size = next;
    }
    free(block);
    for (int i = 0; i < steps; i++) free(between[i]);
}

// The pages that a shrunk block no longer needs can serve others: 100 blocks of 4 MiB, shrunk to 8
// KiB each, cannot stay resident.
static void shrinking_gives_back(void) {
    enum { count = 100 };
    static unsigned char *blocks[count];
    for (int i = 0; i < count; i++) {
        blocks[i] = (unsigned char *)malloc((size_t)4 << 20);
        REQUIRE(blocks[i] != NULL, "malloc of 4 MiB to work");
        memset(blocks[i], i, (size_t)4 << 20);
        blocks[i] = (unsigned char *)realloc(blocks[i], 8192);
        REQUIRE(blocks[i] != NULL, "shrinking to 8 KiB to work");
    }
    EXPECT(resident_mib() < 100, "at most 100 MiB to be resident of 400 MiB, %ld are", resident_mib());
    for (int i = 0; i < count; i++) {
        EXPECT(blocks[i][0] == (unsigned char)i && blocks[i][8191] == (unsigned char)i, "a shrunk block to keep bytes");
        free(blocks[i]);
    }
}

static void failed_realloc(void) {
    for (int i = 0; i < border_count; i++) {
        unsigned char *block = (unsigned char *)malloc(borders[i]);
        REQUIRE(block != NULL, "malloc(%zu) to work", borders[i]);
        size_t usable = malloc_usable_size(block);
        fill(block, usable, 3);
        const size_t impossible[] = {SIZE_MAX, SIZE_MAX - 4096, (size_t)PTRDIFF_MAX + 1, PTRDIFF_MAX, (size_t)1 << 47};
        for (int j = 0; j < 5; j++) {
            errno = 0;
            EXPECT(realloc(block, opaque(impossible[j])) == NULL, "realloc to %zu to return NULL", impossible[j]);
            EXPECT(errno == ENOMEM, "realloc to %zu to set ENOMEM, errno is %d", impossible[j], errno);
        }
        EXPECT(malloc_usable_size(block) == usable, "a failed realloc to leave the usable size");
        size_t place = first_difference(block, usable, 3);
        EXPECT(place == usable, "a failed realloc to leave byte %zu of %zu", place, usable);
        free(block);
    }
}

static void reallocarray_overflow(void) {
    const size_t pairs[][2] = {{SIZE_MAX, 2}, {2, SIZE_MAX}, {SIZE_MAX / 2 + 1, 2}, {(size_t)1 << 32, (size_t)1 << 32},
                               {SIZE_MAX / 24 + 1, 24}, {((size_t)1 << 32) + 1, ((size_t)1 << 32) - 1 + 2}};
    unsigned char *block = (unsigned char *)malloc(100);
    REQUIRE(block != NULL, "malloc(100) to work");
    fill(block, 100, 5);
    for (int i = 0; i < 6; i++) {
        size_t count = opaque(pairs[i][0]), size = opaque(pairs[i][1]);
        errno = 0;
        EXPECT(reallocarray(block, count, size) == NULL, "reallocarray of %zu times %zu to return NULL", count, size);
        EXPECT(errno == ENOMEM, "reallocarray of %zu times %zu to set ENOMEM, errno is %d", count, size, errno);
        errno = 0;
        EXPECT(reallocarray(NULL, count, size) == NULL, "reallocarray(NULL, %zu, %zu) to return NULL", count, size);
        EXPECT(errno == ENOMEM, "reallocarray(NULL, %zu, %zu) to set ENOMEM, errno is %d", count, size, errno);
    }
    EXPECT(first_difference(block, 100, 5) == 100, "a failed reallocarray to leave the block");
    free(block);
}

static void reallocarray_resizes(void) {
    unsigned char *block = (unsigned char *)reallocarray(NULL, 10, 10);
    REQUIRE(block != NULL, "reallocarray(NULL, 10, 10) to be malloc(100)");
    fill(block, 100, 6);
    for (size_t count = 20; count < 2000000; count *= 2) {
        block = (unsigned char *)reallocarray(block, count, 10);
        REQUIRE(block != NULL, "reallocarray to %zu times 10 to work", count);
        EXPECT(malloc_usable_size(block) >= count * 10, "reallocarray to give %zu bytes", count * 10);
        EXPECT(first_difference(block, 100, 6) == 100, "reallocarray to keep contents at %zu times 10", count);
        memset(block + 100, 1, count * 10 - 100);
    }
    EXPECT(reallocarray(block, opaque(0), 10) == NULL, "reallocarray to nothing to free and return NULL");
    block = (unsigned char *)reallocarray(NULL, 3, opaque(0));
    EXPECT(block != NULL, "reallocarray(NULL, 3, 0) to be malloc(0), a block");
    free(block);
}

// Resizing a block that memalign made is allowed; the alignment may be lost, the bytes not.
static void realloc_of_aligned_blocks(void) {
    for (size_t alignment = 16; alignment <= (size_t)4 << 20; alignment *= 4) {
        for (size_t size = 10; size < 1000000; size *= 7) {
            unsigned char *block = (unsigned char *)aligned_alloc(alignment, size);
            REQUIRE(block != NULL, "aligned_alloc(%zu, %zu) to work", alignment, size);
            fill(block, size, 8);
            block = (unsigned char *)realloc(block, size * 3);
            REQUIRE(block != NULL, "realloc to %zu to work", size * 3);
            EXPECT(first_difference(block, size, 8) == size, "growing a block aligned to %zu to keep it", alignment);
            memset(block + size, 2, size * 2);
            block = (unsigned char *)realloc(block, size / 2);
            REQUIRE(block != NULL, "realloc to %zu to work", size / 2);
            EXPECT(first_difference(block, size / 2, 8) == size / 2, "shrinking it to keep it");
            free(block);
        }
    }
}

int main(int argc, char **argv) {
    static const struct test_case cases[] = {
        CASE(realloc_null),         CASE(realloc_zero),   CASE(realloc_keeps_contents), CASE(realloc_up_to_64_mib),
        CASE(shrinking_gives_back), CASE(failed_realloc), CASE(reallocarray_overflow),  CASE(reallocarray_resizes),
        CASE(realloc_of_aligned_blocks),
    };
    return RUN_CASES(cases);
}
