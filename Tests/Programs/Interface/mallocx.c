// Promises of jemalloc(3) for the functions of allocation: each flag, each corner. What only
// Percolate promises is marked so.
#include "jemalloc.h"

static const size_t sizes[] = {1, 2, 7, 8, 9, 15, 16, 17, 100, 128, 129, 1000, 1024, 4095, 4096,
    4097, 14336, 16384, 28672, 28673, 32767, 32768, 32769, 65536, 100000, 1048576, 1048577,
    5000000};
enum { SIZES = sizeof sizes / sizeof *sizes };

// Leaves dirty memory of about this size behind, so that zeroes are somebody's work.
static void soil(size_t size) {
    enum { count = 8 };
    void *blocks[count];
    for (int i = 0; i < count; i++) {
        blocks[i] = malloc(size);
        REQUIRE(blocks[i] != NULL, "malloc(%zu) to work", size);
        memset(blocks[i], 0xa5, size);
    }
    for (int i = 0; i < count; i++) free(blocks[i]);
}

// The real size that nallocx says is the one that the block has, for every alignment; it may all be
// used.
static void real_sizes_agree(void) {
    for (size_t i = 0; i < SIZES; i++) {
        for (int lg = 0; lg <= 21; lg++) {
            for (int zero = 0; zero <= 1; zero++) {
                int flags = MALLOCX_LG_ALIGN(lg) | (zero ? MALLOCX_ZERO : 0);
                size_t real = nallocx(sizes[i], flags);
                REQUIRE(real >= sizes[i], "nallocx(%zu, %d) to be as large, it is %zu", sizes[i],
                    flags, real);
                if (zero) soil(sizes[i]);
                unsigned char *block = mallocx(sizes[i], flags);
                REQUIRE(block != NULL, "mallocx(%zu, %d) to work", sizes[i], flags);
                EXPECT(is_aligned(block, (size_t)1 << lg),
                    "mallocx(%zu, %d) to be aligned, it is %p", sizes[i], flags, (void *)block);
                EXPECT(is_aligned(block, fundamental_alignment(sizes[i])),
                    "the fundamental alignment, it is %p", (void *)block);
                EXPECT(sallocx(block, flags) == real, "sallocx to be %zu, it is %zu", real,
                    sallocx(block, flags));
                EXPECT(malloc_usable_size(block) == real, "malloc_usable_size to be %zu", real);
                EXPECT(nallocx(real, flags) == real, "a real size to be real, nallocx(%zu) is %zu",
                    real, nallocx(real, flags));
                if (zero)
                    EXPECT(is_zero(block, real), "all %zu bytes of %zu to be zero", real, sizes[i]);
                memset(block, 0x5a, real);
                if (zero)
                    sdallocx(block, sizes[i], flags);
                else
                    dallocx(block, flags);
            }
        }
    }
}

// Sizes between the one that was asked for and the real one are right for sdallocx, with the same
// alignment.
static void sized_frees_take_what_the_manual_says(void) {
    for (size_t i = 0; i < SIZES; i++) {
        for (int lg = 0; lg <= 13; lg++) {
            int flags = MALLOCX_LG_ALIGN(lg);
            size_t real = nallocx(sizes[i], flags);
            size_t right[] = {sizes[i], sizes[i] + (real - sizes[i]) / 2, real};
            for (int k = 0; k < 3; k++) {
                void *block = mallocx(sizes[i], flags);
                REQUIRE(block != NULL, "mallocx(%zu, %d) to work", sizes[i], flags);
                sdallocx(block, right[k], flags);
            }
        }
    }
}

// The blocks that malloc and its like give and those of mallocx are the same: all free all.
static void frees_mix(void) {
    typedef void free_sized_function(void *, size_t);
    for (size_t i = 0; i < SIZES; i++) {
        size_t size = sizes[i];
        free(mallocx(size, 0));
        free(mallocx(size, MALLOCX_ALIGN(64)));
        dallocx(malloc(size), 0);
        dallocx(calloc(1, size), MALLOCX_TCACHE_NONE);
        sdallocx(malloc(size), size, 0);
        void *aligned = aligned_alloc(64, size);
        sdallocx(aligned, size, MALLOCX_ALIGN(64));
        void *grown = rallocx(malloc(size), size * 2, 0);
        REQUIRE(grown != NULL, "rallocx to work");
        free(grown);
        grown = realloc(mallocx(size, 0), size * 2);
        REQUIRE(grown != NULL, "realloc to work");
        dallocx(grown, 0);
    }
}

// Numbers of arenas and caches change nothing about a block.
static void arena_and_cache_numbers_are_accepted(void) {
    unsigned arena = READ(unsigned, "arenas.create"), cache = READ(unsigned, "tcache.create");
    int variants[] = {MALLOCX_ARENA(arena), MALLOCX_TCACHE(cache), MALLOCX_TCACHE_NONE,
        MALLOCX_ARENA(arena) | MALLOCX_TCACHE_NONE, MALLOCX_ARENA(0),
        MALLOCX_ARENA(arena) | MALLOCX_TCACHE(cache)};
    for (size_t v = 0; v < sizeof variants / sizeof *variants; v++) {
        for (size_t i = 0; i < SIZES; i++) {
            int flags = variants[v] | (i % 2 ? MALLOCX_ALIGN(256) : 0) | (i % 3 ? MALLOCX_ZERO : 0);
            unsigned char *block = mallocx(sizes[i], flags);
            REQUIRE(block != NULL, "mallocx(%zu, %#x) to work", sizes[i], flags);
            if (flags & MALLOCX_ZERO) EXPECT(is_zero(block, sizes[i]), "zeroes");
            fill(block, sizes[i], 3);
            block = rallocx(block, sizes[i] + 1000, flags);
            REQUIRE(block != NULL, "rallocx to work");
            EXPECT(first_difference(block, sizes[i], 3) == sizes[i], "the bytes to stay");
            sdallocx(block, sizes[i] + 1000, flags);
        }
    }
    EXPECT(WRITE(unsigned, "tcache.flush", cache) == 0, "a cache to be emptied");
    EXPECT(WRITE(unsigned, "tcache.destroy", cache) == 0, "a cache to be destroyed");
}

// Requests that cannot be served: NULL, and 0 of nallocx. A block that cannot be resized stays.
static void sizes_that_overflow(void) {
    size_t large[] = {
        SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 4096, (size_t)PTRDIFF_MAX + 1, PTRDIFF_MAX};
    char *kept = mallocx(5000, 0);
    memset(kept, 7, 5000);
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        for (int lg = 0; lg < 64; lg++) {
            int flags = MALLOCX_LG_ALIGN(lg);
            EXPECT(nallocx(large[i], flags) == 0, "nallocx(%zu, %d) to be 0", large[i], flags);
            EXPECT(mallocx(large[i], flags) == NULL, "mallocx(%zu, %d) to fail", large[i], flags);
            EXPECT(mallocx(large[i], flags | MALLOCX_ZERO) == NULL, "mallocx(%zu, %d) to fail",
                large[i], flags);
            EXPECT(rallocx(kept, large[i], flags) == NULL, "rallocx(%zu, %d) to fail", large[i],
                flags);
        }
        size_t real = sallocx(kept, 0);
        EXPECT(xallocx(kept, large[i], 0, 0) == real, "xallocx(%zu) to change nothing", large[i]);
        EXPECT(xallocx(kept, 1, large[i], 0) >= 1, "extra to be no condition");
    }
    for (int lg = 48; lg < 64; lg++) {
        EXPECT(nallocx(1, MALLOCX_LG_ALIGN(lg)) == 0, "an alignment of 2^%d to be too much", lg);
        EXPECT(mallocx(1, MALLOCX_LG_ALIGN(lg)) == NULL, "an alignment of 2^%d to be too much", lg);
    }
    EXPECT(kept[0] == 7 && kept[4999] == 7, "the block to be as it was");
    dallocx(kept, 0);
}

// rallocx keeps the bytes, gives the alignment, and zeroes what lies beyond the old real size.
static void rallocx_keeps_aligns_and_zeroes(void) {
    static const int alignments[] = {0, 4, 6, 12, 16};
    for (size_t from = 0; from < SIZES; from += 3) {
        for (size_t to = 0; to < SIZES; to++) {
            for (size_t a = 0; a < sizeof alignments / sizeof *alignments; a++) {
                int flags = MALLOCX_LG_ALIGN(alignments[a]) | MALLOCX_ZERO;
                if (sizes[to] < 200000) soil(sizes[to]);
                unsigned char *block = mallocx(sizes[from], flags);
                size_t old = sallocx(block, 0);
                memset(block, 0x11, old);
                block = rallocx(block, sizes[to], flags);
                REQUIRE(block != NULL, "rallocx from %zu to %zu to work", sizes[from], sizes[to]);
                size_t real = sallocx(block, 0);
                EXPECT(real >= sizes[to], "a real size of %zu or more, it is %zu", sizes[to], real);
                EXPECT(is_aligned(block, (size_t)1 << alignments[a]), "alignment 2^%d, it is %p",
                    alignments[a], (void *)block);
                size_t kept = old < sizes[to] ? old : sizes[to];
                for (size_t i = 0; i < kept; i++) {
                    if (block[i] != 0x11) {
                        EXPECT(0, "byte %zu of %zu to stay, from %zu to %zu", i, kept, sizes[from],
                            sizes[to]);
                        break;
                    }
                }
                if (real > old)
                    EXPECT(is_zero(block + old, real - old), "zeroes from %zu on, from %zu to %zu",
                        old, sizes[from], sizes[to]);
                dallocx(block, flags);
            }
        }
    }
}

// xallocx never moves: its result is the block's real size.
static void xallocx_stays_in_place(void) {
    for (size_t from = 0; from < SIZES; from += 3) {
        for (size_t to = 0; to < SIZES; to++) {
            for (size_t extra = 0; extra <= 200000; extra = extra * 30 + 1000) {
                unsigned char *block = mallocx(sizes[from], 0);
                size_t old = sallocx(block, 0);
                fill(block, old, 5);
                size_t real = xallocx(block, sizes[to], extra, MALLOCX_ZERO);
                EXPECT(real == sallocx(block, 0), "the real size, it says %zu", real);
                EXPECT(real == old ||
                           (real >= sizes[to] && real <= nallocx(sizes[to] + extra, 0)) ||
                           (real > old && real < sizes[to]),
                    "%zu bytes with extra %zu for %zu, it has %zu", sizes[to], extra, old, real);
                size_t kept = old < real ? old : real;
                EXPECT(first_difference(block, kept, 5) == kept, "the bytes to stay");
                if (real > old) EXPECT(is_zero(block + old, real - old), "zeroes from %zu on", old);
                memset(block, 1, real);
                if (real >= sizes[to])
                    sdallocx(block, sizes[to] > old ? sizes[to] : real, 0);
                else
                    dallocx(block, 0);
            }
        }
    }
}

// A large block at the end of the heap grows into what is free behind it, and gives its end back.
static void large_blocks_grow_and_shrink_in_place(void) {
    enum { MiB = 1 << 20 };
    // Of two neighbours the second is freed: the first can grow into its place.
    int grown = 0, zeroed = 0;
    for (int attempt = 0; attempt < 10; attempt++) {
        unsigned char *first = mallocx(MiB, 0), *second = mallocx(4 * MiB, 0),
                      *third = mallocx(MiB, 0);
        memset(second, 0xee, 4 * MiB);
        memset(first, 1, MiB);
        int are_neighbours = second > first && second < first + 2 * MiB;
        dallocx(second, 0);
        size_t real = xallocx(first, MiB, 2 * MiB, MALLOCX_ZERO);
        if (are_neighbours && real > 2 * MiB) {
            grown++;
            zeroed += is_zero(first + MiB, real - MiB);
            EXPECT(xallocx(first, MiB / 2, 0, 0) == MiB / 2, "the end to be given back");
            EXPECT(first[0] == 1 && first[MiB / 2 - 1] == 1, "the bytes to stay");
            // The size that was asked for at last, with an extra that was granted or not.
            EXPECT(xallocx(first, MiB, MiB, 0) >= MiB, "to grow again");
            sdallocx(first, MiB, 0);
        } else {
            dallocx(first, 0);
        }
        dallocx(third, 0);
    }
    EXPECT(grown > 0, "a block with free pages behind it to grow");
    EXPECT(zeroed == grown, "what it grew by to be zero");
}

// Where the manual says undefined, Percolate says something harmless.
static void undefined_is_harmless(void) {
    void *block = mallocx(0, 0);
    EXPECT(block != NULL && sallocx(block, 0) >= 1, "a block for 0 bytes");
    block = rallocx(block, 0, 0);
    EXPECT(block != NULL, "0 bytes not to free");
    sdallocx(block, 0, 0);
    dallocx(NULL, 0);
    sdallocx(NULL, 100, 0);
    sdallocx(NULL, 100000, MALLOCX_ALIGN(64));
    EXPECT(sallocx(NULL, 0) == 0, "NULL to have no bytes");
    EXPECT(xallocx(NULL, 10, 0, 0) == 0, "NULL to have no bytes");
    block = rallocx(NULL, 100, 0);
    EXPECT(block != NULL, "rallocx(NULL) to be mallocx");
    dallocx(block, 0);
    block = rallocx(NULL, 100, MALLOCX_ALIGN(128) | MALLOCX_ZERO);
    EXPECT(block != NULL && is_aligned(block, 128) && is_zero(block, 100),
        "rallocx(NULL) to be mallocx");
    dallocx(block, 0);
    EXPECT(nallocx(0, 0) == nallocx(1, 0), "0 to stand for 1");
}

// Success leaves errno alone, failure says ENOMEM as malloc(3) does.
static void errno_is_kept(void) {
    errno = 31;
    void *block = mallocx(100, MALLOCX_ALIGN(4096));
    block = rallocx(block, 100000, MALLOCX_ZERO);
    xallocx(block, 200000, 0, 0);
    xallocx(block, SIZE_MAX, 0, 0);
    nallocx(SIZE_MAX, 0);
    sdallocx(block, sallocx(block, 0), 0);
    EXPECT(errno == 31, "errno to stay, it is %d", errno);
    EXPECT(mallocx(SIZE_MAX, 0) == NULL && errno == ENOMEM, "ENOMEM, errno is %d", errno);
}

// A sized free with a size of another class ends the process: Percolate never trusts it.
static void wrong_size_small(void) { sdallocx(mallocx(100, 0), 1000, 0); }
static void wrong_size_without_its_alignment(void) {
    sdallocx(mallocx(100, MALLOCX_ALIGN(1024)), 100, 0);
}
static void wrong_size_beyond_large(void) { sdallocx(mallocx(100000, 0), 500000, 0); }

int main(int argc, char **argv) {
    static const struct test_case cases[] = {
        CASE(real_sizes_agree),
        CASE(sized_frees_take_what_the_manual_says),
        CASE(frees_mix),
        CASE(arena_and_cache_numbers_are_accepted),
        CASE(sizes_that_overflow),
        CASE(rallocx_keeps_aligns_and_zeroes),
        CASE(xallocx_stays_in_place),
        CASE(large_blocks_grow_and_shrink_in_place),
        CASE(undefined_is_harmless),
        CASE(errno_is_kept),
        CASE(wrong_size_small),
        CASE(wrong_size_without_its_alignment),
        CASE(wrong_size_beyond_large),
    };
    return RUN_CASES(cases);
}
