// Promises of aligned_alloc, posix_memalign, memalign, valloc and pvalloc.
#include "check.h"

static const size_t some_sizes[] = {1,    7,    8,    9,     16,    24,    40,     64,     100,    128,    129,
                                    200,  256,  500,  1000,  1024,  2000,  4095,   4096,   4097,   8000,   8192,
                                    12345, 16384, 32768, 40000, 65536, 100000, 131072, 262144, 300000, 1048576};
enum { size_count = sizeof some_sizes / sizeof some_sizes[0] };

// Alignments 1 to 16 MiB with many sizes, several blocks alive at a time; all usable bytes are the
// block's own.
static void alignment_is_honoured(void) {
    for (size_t alignment = 1; alignment <= (size_t)16 << 20; alignment *= 2) {
        for (int s = 0; s < size_count; s++) {
            enum { count = 5 };
            void *blocks[count];
            size_t usable[count];
            for (int i = 0; i < count; i++) {
                size_t size = some_sizes[s];
                blocks[i] = NULL;
                if (i % 3 == 0) {
                    blocks[i] = aligned_alloc(alignment, size);
                } else if (i % 3 == 1 && alignment >= sizeof(void *)) {
                    int result = posix_memalign(&blocks[i], alignment, size);
                    EXPECT(result == 0, "posix_memalign(%zu, %zu) to return 0, got %d", alignment, size, result);
                } else {
                    blocks[i] = memalign(alignment, size);
                }
                REQUIRE(blocks[i] != NULL, "%zu bytes aligned to %zu", size, alignment);
                EXPECT(is_aligned(blocks[i], alignment), "%zu aligned to %zu, got %p", size, alignment, blocks[i]);
                EXPECT(is_aligned(blocks[i], fundamental_alignment(size)), "no less than malloc's, got %p", blocks[i]);
                usable[i] = malloc_usable_size(blocks[i]);
                EXPECT(usable[i] >= size, "usable %zu to cover %zu", usable[i], size);
                fill(blocks[i], usable[i] < 400000 ? usable[i] : size, (unsigned)i);
            }
            for (int i = 0; i < count; i++) {
                size_t length = usable[i] < 400000 ? usable[i] : some_sizes[s];
                size_t place = first_difference(blocks[i], length, (unsigned)i);
                EXPECT(place == length, "byte %zu of %zu, aligned to %zu, to survive its neighbours", place,
                       some_sizes[s], alignment);
                free(blocks[i]);
            }
        }
    }
}

// Blocks of every alignment and of none live and die in between each other.
static void aligned_among_others(void) {
    enum { count = 300 };
    static unsigned char *blocks[count];
    static size_t lengths[count];
    unsigned state = 99;
    for (int round = 0; round < 30000; round++) {
        state = state * 1103515245 + 12345;
        int i = (int)(state >> 16) % count;
        if (blocks[i] != NULL) free_filled(blocks[i], lengths[i], (unsigned)i);
        state = state * 1103515245 + 12345;
        size_t alignment = (size_t)1 << ((state >> 8) % 14);
        lengths[i] = (state >> 12) % (round % 50 == 0 ? 70000 : 600);
        blocks[i] = (unsigned char *)(round % 3 == 0 ? malloc(lengths[i]) : aligned_alloc(alignment, lengths[i]));
        REQUIRE(blocks[i] != NULL, "%zu bytes aligned to %zu", lengths[i], alignment);
        EXPECT(round % 3 == 0 || is_aligned(blocks[i], alignment), "an alignment of %zu, got %p", alignment, blocks[i]);
        fill(blocks[i], lengths[i], (unsigned)i);
    }
    for (int i = 0; i < count; i++) free(blocks[i]);
}

static void posix_memalign_invalid(void) {
    const size_t invalid[] = {0, 1, 2, 3, 4, 5, 7, 9, 12, 24, 48, 100, 4095, 4097, SIZE_MAX, SIZE_MAX - 7, PTRDIFF_MAX};
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++) {
        void *before = &failures, *block = before;
        errno = 5678;
        int result = posix_memalign(&block, opaque(invalid[i]), 100);
        EXPECT(result == EINVAL, "posix_memalign(%zu, 100) to return EINVAL, got %d", invalid[i], result);
        EXPECT(block == before, "posix_memalign(%zu, 100) to leave the pointer", invalid[i]);
        EXPECT(errno == 5678, "posix_memalign(%zu, 100) to leave errno, it is %d", invalid[i], errno);
    }
}

static void posix_memalign_no_memory(void) {
    for (size_t alignment = 8; alignment <= (size_t)1 << 30; alignment *= 4) {
        const size_t impossible[] = {SIZE_MAX, SIZE_MAX - 4096, SIZE_MAX - alignment, (size_t)PTRDIFF_MAX + 1,
                                     PTRDIFF_MAX, (size_t)1 << 47};
        for (int i = 0; i < 6; i++) {
            void *before = &failures, *block = before;
            errno = 5678;
            int result = posix_memalign(&block, alignment, opaque(impossible[i]));
            EXPECT(result == ENOMEM, "posix_memalign(%zu, %zu) to return ENOMEM, got %d", alignment, impossible[i],
                   result);
            EXPECT(block == before, "posix_memalign(%zu, %zu) to leave the pointer", alignment, impossible[i]);
        }
    }
    void *block = &failures;
    int result = posix_memalign(&block, (size_t)1 << 62, 1);
    EXPECT(result == ENOMEM || result == EINVAL, "posix_memalign(2^62, 1) to fail, got %d", result);
    EXPECT(block == (void *)&failures, "posix_memalign(2^62, 1) to leave the pointer");
}

// POSIX: errors are returned, errno is not set.
static void posix_memalign_leaves_errno(void) {
    void *block = NULL;
    errno = 5678;
    int result = posix_memalign(&block, 64, opaque((size_t)PTRDIFF_MAX + 1));
    EXPECT(result == ENOMEM && errno == 5678, "ENOMEM returned (%d) and errno left (%d)", result, errno);
    for (size_t size = 1; size < 10000000; size *= 3) {
        errno = 5678;
        result = posix_memalign(&block, 256, size);
        EXPECT(result == 0 && errno == 5678, "0 returned (%d) and errno left (%d) for %zu bytes", result, errno, size);
        free(block);
    }
}

static void zero_size(void) {
    for (size_t alignment = 8; alignment <= 1 << 20; alignment *= 2) {
        void *blocks[6] = {NULL};
        EXPECT(posix_memalign(&blocks[0], alignment, opaque(0)) == 0, "posix_memalign(%zu, 0) to work", alignment);
        EXPECT(posix_memalign(&blocks[1], alignment, opaque(0)) == 0, "posix_memalign(%zu, 0) to work", alignment);
        blocks[2] = aligned_alloc(alignment, opaque(0));
        blocks[3] = aligned_alloc(alignment, opaque(0));
        blocks[4] = memalign(alignment, opaque(0));
        blocks[5] = memalign(alignment, opaque(0));
        for (int i = 0; i < 6; i++) {
            EXPECT(blocks[i] != NULL && is_aligned(blocks[i], alignment), "alignment %zu: %p", alignment, blocks[i]);
            for (int j = 0; j < i; j++) EXPECT(blocks[i] != blocks[j], "blocks of no size to differ");
        }
        for (int i = 0; i < 6; i++) free(blocks[i]);
    }
}

// C23 and POSIX 2024: an alignment that is no power of two fails. (glibc before 2.38 rounds it up
// instead, which would be allowed here, were it honoured.)
static void aligned_alloc_invalid(void) {
    const size_t invalid[] = {0, 3, 5, 6, 7, 12, 24, 48, 100, 1000, 4095, 4097, 65537};
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++) {
        size_t rounded = 16;
        while (rounded < invalid[i]) rounded *= 2;
        errno = 0;
        void *block = aligned_alloc(opaque(invalid[i]), 100);
        if (block == NULL) {
            EXPECT(errno == EINVAL, "aligned_alloc(%zu, 100) to set EINVAL, errno is %d", invalid[i], errno);
        } else {
            EXPECT(is_aligned(block, rounded), "aligned_alloc(%zu, 100) to fail or round, got %p", invalid[i], block);
            free(block);
        }
    }
}

static void aligned_alloc_no_memory(void) {
    for (size_t alignment = 1; alignment <= (size_t)1 << 30; alignment *= 8) {
        const size_t impossible[] = {SIZE_MAX, SIZE_MAX - 4096, SIZE_MAX - alignment + 1, (size_t)PTRDIFF_MAX + 1,
                                     PTRDIFF_MAX, (size_t)1 << 47};
        for (int i = 0; i < 6; i++) {
            errno = 0;
            EXPECT(aligned_alloc(alignment, opaque(impossible[i])) == NULL, "aligned_alloc(%zu, %zu) to return NULL",
                   alignment, impossible[i]);
            EXPECT(errno == ENOMEM, "aligned_alloc(%zu, %zu) to set ENOMEM, got %d", alignment, impossible[i], errno);
            errno = 0;
            EXPECT(memalign(alignment, opaque(impossible[i])) == NULL, "memalign(%zu, %zu) to return NULL", alignment,
                   impossible[i]);
            EXPECT(errno == ENOMEM, "memalign(%zu, %zu) to set ENOMEM, errno is %d", alignment, impossible[i], errno);
        }
    }
}

// memalign takes what programs written for glibc give it: it rounds up to a power of two.
static void memalign_rounds(void) {
    const size_t alignments[] = {0, 1, 2, 3, 5, 8, 12, 17, 24, 33, 48, 100, 1000, 4095, 4097, 65537, 1000000};
    for (size_t i = 0; i < sizeof alignments / sizeof alignments[0]; i++) {
        size_t rounded = 1;
        while (rounded < alignments[i]) rounded *= 2;
        for (size_t size = 1; size < 100000; size = size * 5 + 3) {
            void *block = memalign(opaque(alignments[i]), size);
            EXPECT(block != NULL && is_aligned(block, rounded) && malloc_usable_size(block) >= size,
                   "memalign(%zu, %zu) to be aligned to %zu, got %p", alignments[i], size, rounded, block);
            free(block);
        }
    }
    errno = 0;
    EXPECT(memalign(opaque(SIZE_MAX / 2 + 2), 1) == NULL, "memalign(2^63 + 1, 1) to return NULL");
    EXPECT(errno == EINVAL || errno == ENOMEM, "memalign(2^63 + 1, 1) to set EINVAL or ENOMEM, errno is %d", errno);
}

static void whole_pages(void) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (size_t size = 0; size < 40 * page; size = size * 3 / 2 + 1) {
        void *block = valloc(opaque(size)), *other = valloc(opaque(size));
        REQUIRE(block != NULL && other != NULL, "valloc(%zu) to work", size);
        EXPECT(is_aligned(block, page) && is_aligned(other, page), "valloc(%zu) to start a page", size);
        EXPECT(block != other && malloc_usable_size(block) >= size, "valloc(%zu) to give that much", size);
        memset(block, 1, malloc_usable_size(block));
        free(block);
        free(other);
        size_t rounded = (size + page - 1) / page * page;
        block = pvalloc(opaque(size));
        other = pvalloc(opaque(size));
        REQUIRE(block != NULL && other != NULL, "pvalloc(%zu) to work", size);
        EXPECT(is_aligned(block, page) && is_aligned(other, page), "pvalloc(%zu) to start a page", size);
        EXPECT(block != other && malloc_usable_size(block) >= rounded, "pvalloc(%zu) to give %zu", size, rounded);
        memset(block, 1, malloc_usable_size(block));
        free(block);
        free(other);
    }
    const size_t impossible[] = {SIZE_MAX, SIZE_MAX - page, SIZE_MAX - page + 2, (size_t)PTRDIFF_MAX + 1, PTRDIFF_MAX};
    for (int i = 0; i < 5; i++) {
        errno = 0;
        EXPECT(valloc(opaque(impossible[i])) == NULL, "valloc(%zu) to return NULL", impossible[i]);
        EXPECT(errno == ENOMEM, "valloc(%zu) to set ENOMEM, errno is %d", impossible[i], errno);
        errno = 0;
        EXPECT(pvalloc(opaque(impossible[i])) == NULL, "pvalloc(%zu) to return NULL", impossible[i]);
        EXPECT(errno == ENOMEM, "pvalloc(%zu) to set ENOMEM, errno is %d", impossible[i], errno);
    }
}

int main(int argc, char **argv) {
    static const struct test_case cases[] = {
        CASE(alignment_is_honoured),    CASE(aligned_among_others),        CASE(posix_memalign_invalid),
        CASE(posix_memalign_no_memory), CASE(posix_memalign_leaves_errno), CASE(zero_size),
        CASE(aligned_alloc_invalid),    CASE(aligned_alloc_no_memory),     CASE(memalign_rounds),
        CASE(whole_pages),
    };
    return RUN_CASES(cases);
}
