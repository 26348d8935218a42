// Promises of malloc, calloc and free.
#include "check.h"

// Sizes around every border of an allocator: small classes, pages, spans, large blocks.
static const size_t sizes[] = {
    1,    2,    7,    8,    9,     15,    16,    17,    24,    31,     32,     33,     48,      63,      64,
    65,   80,   96,   112,  127,   128,   129,   144,   160,   255,    256,    257,    511,     512,     513,
    1000, 1023, 1024, 1025, 1056,  2047,  2048,  2049,  2080,  4095,   4096,   4097,   8191,    8192,    8193,
    8224, 9999, 16383, 16384, 16385, 32767, 32768, 32769, 32800, 65535, 65536, 65537, 100000, 131071, 131072,
    131073, 200000, 262143, 262144, 262145, 524288, 1000000, 1048576, 1048577, 3000000, 4194304, 8388609};
enum { size_count = sizeof sizes / sizeof sizes[0] };

static void malloc_zero(void) {
    enum { count = 1000 };
    void *blocks[count];
    for (int i = 0; i < count; i++) {
        blocks[i] = malloc(opaque(0));
        REQUIRE(blocks[i] != NULL, "malloc(0) to return a block");
        EXPECT(is_aligned(blocks[i], 8), "malloc(0) to be aligned to 8, got %p", blocks[i]);
        for (int j = 0; j < i; j++) EXPECT(blocks[i] != blocks[j], "malloc(0) to return different blocks");
    }
    for (int i = 0; i < count; i++) free(blocks[i]);
    void *others[] = {calloc(opaque(0), opaque(0)), calloc(opaque(0), 7), calloc(7, opaque(0)), malloc(opaque(0))};
    for (int i = 0; i < 4; i++) {
        REQUIRE(others[i] != NULL, "calloc of nothing to return a block");
        for (int j = 0; j < i; j++) EXPECT(others[i] != others[j], "calloc of nothing to return different blocks");
    }
    for (int i = 0; i < 4; i++) free(others[i]);
}

static void impossible_sizes(void) {
    const size_t impossible[] = {
        SIZE_MAX,         SIZE_MAX - 1,    SIZE_MAX - 15,   SIZE_MAX - 16,    SIZE_MAX - 4095,
        SIZE_MAX - 4096,  SIZE_MAX - 8192, SIZE_MAX - (2u << 20), SIZE_MAX / 2 + 2, (size_t)PTRDIFF_MAX + 1,
        PTRDIFF_MAX,      PTRDIFF_MAX - 4096, (size_t)1 << 62, (size_t)1 << 48, (size_t)1 << 47};
    for (size_t i = 0; i < sizeof impossible / sizeof impossible[0]; i++) {
        size_t size = opaque(impossible[i]);
        errno = 0;
        EXPECT(malloc(size) == NULL, "malloc(%zu) to return NULL", size);
        EXPECT(errno == ENOMEM, "malloc(%zu) to set ENOMEM, errno is %d", size, errno);
        errno = 0;
        EXPECT(calloc(1, size) == NULL, "calloc(1, %zu) to return NULL", size);
        EXPECT(errno == ENOMEM, "calloc(1, %zu) to set ENOMEM, errno is %d", size, errno);
        errno = 0;
        EXPECT(realloc(NULL, size) == NULL, "realloc(NULL, %zu) to return NULL", size);
        EXPECT(errno == ENOMEM, "realloc(NULL, %zu) to set ENOMEM, errno is %d", size, errno);
    }
    void *block = malloc(100);
    EXPECT(block != NULL, "malloc(100) to work after failures");
    free(block);
}

static void calloc_overflow(void) {
    const size_t pairs[][2] = {{SIZE_MAX, 2},
                               {2, SIZE_MAX},
                               {SIZE_MAX, SIZE_MAX},
                               {SIZE_MAX / 2 + 1, 2},
                               {(size_t)1 << 32, (size_t)1 << 32},
                               {((size_t)1 << 32) + 1, (size_t)1 << 32},
                               {SIZE_MAX / 16 + 2, 16},
                               {3, SIZE_MAX / 3 + 1},
                               {SIZE_MAX / 100 + 1, 100}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        size_t count = opaque(pairs[i][0]), size = opaque(pairs[i][1]);
        errno = 0;
        EXPECT(calloc(count, size) == NULL, "calloc(%zu, %zu) to return NULL", count, size);
        EXPECT(errno == ENOMEM, "calloc(%zu, %zu) to set ENOMEM, errno is %d", count, size, errno);
    }
}

static void expect_zero(const unsigned char *block, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (block[i] != 0) {
            EXPECT(0, "calloc of %zu bytes to be zero, byte %zu is 0x%02x", size, i, block[i]);
            return;
        }
    }
}

// Dirty blocks come back through every way there is: the caches, the spans, and the large blocks.
static void calloc_zero(void) {
    for (int s = 0; s < size_count; s++) {
        size_t size = sizes[s];
        int count = size < 65536 ? 64 : 4;
        void *blocks[64];
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < count; i++) {
                blocks[i] = calloc(round == 1 ? size : 1, round == 1 ? 1 : size);
                REQUIRE(blocks[i] != NULL, "calloc of %zu bytes to work", size);
                expect_zero((unsigned char *)blocks[i], size);
                memset(blocks[i], 0xA5, malloc_usable_size(blocks[i]));
            }
            for (int i = 0; i < count; i++) free(blocks[i]);
        }
        for (int i = 0; i < count; i++) {
            blocks[i] = malloc(size);
            REQUIRE(blocks[i] != NULL, "malloc(%zu) to work", size);
            memset(blocks[i], 0x5A, malloc_usable_size(blocks[i]));
        }
        for (int i = count - 1; i >= 0; i--) free(blocks[i]);
        void *block = calloc(1, size);
        REQUIRE(block != NULL, "calloc of %zu bytes to work", size);
        expect_zero((unsigned char *)block, size);
        free(block);
    }
}

// A freed large range must be zero again when calloc hands it out in other pieces.
static void calloc_zero_in_other_pieces(void) {
    for (int round = 0; round < 8; round++) {
        size_t whole = (size_t)6 << 20;
        unsigned char *large = (unsigned char *)malloc(whole);
        REQUIRE(large != NULL, "malloc of 6 MiB to work");
        memset(large, 0xEE, whole);
        free(large);
        static const size_t pieces[] = {40, 700, 5000, 40000, 300000, 2000000};
        for (int p = 0; p < 6; p++) {
            unsigned char *blocks[16];
            int count = pieces[p] > 1000000 ? 3 : 16;
            for (int i = 0; i < count; i++) {
                blocks[i] = (unsigned char *)calloc(1, pieces[p]);
                REQUIRE(blocks[i] != NULL, "calloc of %zu bytes to work", pieces[p]);
                expect_zero(blocks[i], pieces[p]);
                memset(blocks[i], 0xEE, pieces[p]);
            }
            for (int i = 0; i < count; i++) free(blocks[i]);
        }
    }
}

static void natural_alignment(void) {
    for (size_t size = 1; size <= 40000; size += size < 2100 ? 1 : 97) {
        void *blocks[4];
        for (int i = 0; i < 4; i++) {
            blocks[i] = i % 2 == 0 ? malloc(size) : calloc(1, size);
            REQUIRE(blocks[i] != NULL, "malloc(%zu) to work", size);
            EXPECT(is_aligned(blocks[i], fundamental_alignment(size)), "malloc(%zu) to be aligned to %zu, got %p", size,
                   fundamental_alignment(size), blocks[i]);
        }
        for (int i = 0; i < 4; i++) free(blocks[i]);
    }
    for (int s = 0; s < size_count; s++) {
        void *block = malloc(sizes[s]);
        REQUIRE(block != NULL, "malloc(%zu) to work", sizes[s]);
        EXPECT(is_aligned(block, fundamental_alignment(sizes[s])), "malloc(%zu) to be aligned: %p", sizes[s], block);
        free(block);
    }
}

static void free_null(void) {
    errno = 4321;
    for (int i = 0; i < 1000; i++) free(NULL);
    EXPECT(errno == 4321, "free(NULL) to keep errno, it is %d", errno);
}

// Neither the quick free, nor the one that drains a cache, nor the one that gives pages back may
// touch errno.
static void free_keeps_errno(void) {
    enum { count = 3000 };
    static void *blocks[count];
    for (int s = 0; s < size_count; s++) {
        int many = sizes[s] < 20000 ? count : 3;
        for (int i = 0; i < many; i++) {
            blocks[i] = malloc(sizes[s]);
            REQUIRE(blocks[i] != NULL, "malloc(%zu) to work", sizes[s]);
        }
        for (int i = 0; i < many; i++) {
            errno = 1234 + i;
            free(blocks[i]);
            EXPECT(errno == 1234 + i, "free of %zu bytes to keep errno %d, it is %d", sizes[s], 1234 + i, errno);
        }
    }
    void *huge = malloc((size_t)256 << 20);
    REQUIRE(huge != NULL, "malloc of 256 MiB to work");
    memset(huge, 1, 4096);
    errno = 77;
    free(huge);
    EXPECT(errno == 77, "free of 256 MiB to keep errno 77, it is %d", errno);
}

// A success says nothing through errno, so a loop that checks errno afterwards must not see one.
static void success_keeps_errno(void) {
    for (int s = 0; s < size_count; s++) {
        for (int i = 0; i < 20; i++) {
            errno = 99;
            void *block = i % 2 == 0 ? malloc(sizes[s]) : calloc(1, sizes[s]);
            EXPECT(block != NULL && errno == 99, "malloc(%zu) to keep errno 99, it is %d", sizes[s], errno);
            block = realloc(block, sizes[s] * 2);
            EXPECT(block != NULL && errno == 99, "realloc to %zu to keep errno 99, it is %d", sizes[s] * 2, errno);
            free(block);
        }
    }
}

// Every byte of the usable size belongs to the block: writing all of it, in all blocks, must
// destroy no neighbour.
static void usable_size(void) {
    EXPECT(malloc_usable_size(NULL) == 0, "malloc_usable_size(NULL) to be 0");
    for (int s = 0; s < size_count; s++) {
        enum { most = 32 };
        int count = sizes[s] < 1000000 ? most : 3;
        void *blocks[most];
        size_t usable[most];
        for (int i = 0; i < count; i++) {
            blocks[i] = malloc(sizes[s]);
            REQUIRE(blocks[i] != NULL, "malloc(%zu) to work", sizes[s]);
            usable[i] = malloc_usable_size(blocks[i]);
            EXPECT(usable[i] >= sizes[s], "the usable size of %zu bytes to cover them, it is %zu", sizes[s], usable[i]);
            fill(blocks[i], usable[i], (unsigned)i);
        }
        for (int i = 0; i < count; i++) {
            EXPECT(malloc_usable_size(blocks[i]) == usable[i], "the usable size of %zu bytes to stay", sizes[s]);
            size_t place = first_difference(blocks[i], usable[i], (unsigned)i);
            EXPECT(place == usable[i], "usable byte %zu of %zu to keep its value (request %zu)", place, usable[i],
                   sizes[s]);
            free(blocks[i]);
        }
    }
}

// 512 live blocks of mixed sizes, each with its own pattern.
static void contents_survive(void) {
    enum { count = 512 };
    static void *blocks[count];
    static size_t lengths[count];
    unsigned state = 12345;
    for (int round = 0; round < 60000; round++) {
        state = state * 1103515245 + 12345;
        int i = (int)(state >> 16) % count;
        if (blocks[i] != NULL) free_filled(blocks[i], lengths[i], (unsigned)i);
        state = state * 1103515245 + 12345;
        lengths[i] = (state >> 8) % (round % 100 == 0 ? 200000 : round % 10 == 0 ? 5000 : 200);
        blocks[i] = malloc(lengths[i]);
        REQUIRE(blocks[i] != NULL, "malloc(%zu) to work", lengths[i]);
        fill(blocks[i], lengths[i], (unsigned)i);
    }
    for (int i = 0; i < count; i++) free(blocks[i]);
}

int main(int argc, char **argv) {
    static const struct test_case cases[] = {
        CASE(malloc_zero),       CASE(impossible_sizes), CASE(calloc_overflow),     CASE(calloc_zero),
        CASE(natural_alignment), CASE(free_null),        CASE(free_keeps_errno),    CASE(success_keeps_errno),
        CASE(usable_size),       CASE(contents_survive), CASE(calloc_zero_in_other_pieces),
    };
    return RUN_CASES(cases);
}
