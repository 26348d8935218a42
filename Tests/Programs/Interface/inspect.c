// Promises of malloc_trim, mallinfo, mallinfo2, mallopt, malloc_stats and malloc_info.
#include "resident.h"

enum { many = 65536 };
static void *blocks[many];

static void allocate_many(size_t size, int count) {
    for (int i = 0; i < count; i++) {
        blocks[i] = malloc(size);
        REQUIRE(blocks[i] != NULL, "malloc(%zu) to work", size);
        fill(blocks[i], size, (unsigned)i);
    }
}

static void free_many(size_t size, int count) {
    for (int i = 0; i < count; i++) {
        EXPECT(first_difference(blocks[i], size, (unsigned)i) == size, "block %d of %zu bytes to survive", i, size);
        free(blocks[i]);
    }
}

static void trim_gives_back(void) {
    allocate_many(4000, 40000);
    long full = resident_mib();
    EXPECT(full > 140, "160 MB to be resident, %ld MiB are", full);
    for (int i = 0; i < 40000; i++) {
        if (i % 1000 != 0) free(blocks[i]);
    }
    int result = malloc_trim(0);
    EXPECT(result == 0 || result == 1, "malloc_trim to return 0 or 1, got %d", result);
    long trimmed = resident_mib();
    EXPECT(trimmed < 60, "most of 160 MB to be given back by malloc_trim, %ld MiB are resident", trimmed);
    for (int i = 0; i < 40000; i += 1000) {
        EXPECT(first_difference(blocks[i], 4000, (unsigned)i) == 4000, "a live block to survive malloc_trim");
        free(blocks[i]);
    }
    result = malloc_trim(SIZE_MAX);
    EXPECT(result == 0 || result == 1, "malloc_trim(SIZE_MAX) to return 0 or 1, got %d", result);
    allocate_many(100, 1000);
    free_many(100, 1000);
}

/// Sizes that are classes of their own, so that the blocks' bytes are known.
static void mallinfo2_is_exact(void) {
    size_t base = mallinfo2().uordblks;
    size_t sum = 0;
    for (int i = 0; i < 300; i++) {
        size_t size = (size_t)(i % 8 + 1) * 16;
        blocks[i] = malloc(size);
        REQUIRE(blocks[i] != NULL, "malloc(%zu) to work", size);
        sum += malloc_usable_size(blocks[i]);
        size_t now = mallinfo2().uordblks;
        EXPECT(now == base + sum, "%zu bytes after block %d, not %zu", base + sum, i, now);
    }
    for (int i = 0; i < 300; i++) {
        sum -= malloc_usable_size(blocks[i]);
        free(blocks[i]);
        size_t now = mallinfo2().uordblks;
        EXPECT(now == base + sum, "%zu bytes without block %d, not %zu", base + sum, i, now);
    }
}

static void mallinfo2_counts(void) {
    struct mallinfo2 before = mallinfo2();
    allocate_many(1000, many);
    struct mallinfo2 during = mallinfo2();
    size_t grown = during.uordblks + during.hblkhd - before.uordblks - before.hblkhd;
    EXPECT(grown > 60000000 && grown < 90000000, "mallinfo2 to count 65.5 MB in use, it says %zu", grown);
    EXPECT(during.uordblks <= during.arena, "no more in use (%zu) than there is (%zu)", during.uordblks, during.arena);
    free_many(1000, many);
    struct mallinfo2 after = mallinfo2();
    EXPECT(after.uordblks < before.uordblks + ((size_t)8 << 20), "mallinfo2 to count 8 MiB in use at most, it says %zu",
           after.uordblks);
    void *large = malloc((size_t)1 << 30);
    REQUIRE(large != NULL, "malloc of 1 GiB to work");
    struct mallinfo2 huge = mallinfo2();
    grown = huge.uordblks + huge.hblkhd - after.uordblks - after.hblkhd;
    EXPECT(grown >= (size_t)1 << 30 && grown < (size_t)3 << 29, "mallinfo2 to count a block of 1 GiB, once: %zu", grown);
    grown = huge.arena + huge.hblkhd - after.arena - after.hblkhd;
    EXPECT(grown < (size_t)3 << 29, "arena and hblkhd to count a block of 1 GiB once, they grow by %zu", grown);
    EXPECT(huge.hblks == after.hblks + 1, "one more large block: %zu, %zu", after.hblks, huge.hblks);
    free(large);
    for (int i = 0; i < 50; i++) {
        void *grown_block = realloc(malloc(40000), 100000);
        void *neighbour = malloc(50000);
        grown_block = realloc(grown_block, 3 << 20);
        free(neighbour);
        free(grown_block);
    }
    size_t left = mallinfo2().hblks;
    EXPECT(left == after.hblks, "blocks that realloc moved to be counted once: %zu, %zu", after.hblks, left);
}

static void mallinfo_counts(void) {
    struct mallinfo before = mallinfo();
    allocate_many(1000, many);
    struct mallinfo during = mallinfo();
    int grown = during.uordblks + during.hblkhd - before.uordblks - before.hblkhd;
    EXPECT(grown > 60000000 && grown < 90000000, "mallinfo to count 65.5 MB in use, it says %d", grown);
    EXPECT(during.arena > 0 && during.fordblks >= 0, "sizes above zero: %d, %d", during.arena, during.fordblks);
    free_many(1000, many);
}

// What glibc takes for a hint or a bound is taken here too: 1 is success. The allocator works on
// whatever was asked.
static void mallopt_accepts(void) {
    const int knobs[][2] = {{M_MMAP_THRESHOLD, 1 << 20}, {M_TRIM_THRESHOLD, 1 << 20}, {M_TOP_PAD, 65536},
                            {M_MMAP_MAX, 100},           {M_ARENA_MAX, 2},            {M_ARENA_TEST, 2},
                            {M_MXFAST, 64}};
    for (int i = 0; i < 7; i++) {
        int result = mallopt(knobs[i][0], knobs[i][1]);
        EXPECT(result == 1, "mallopt(%d, %d) to return 1, got %d", knobs[i][0], knobs[i][1], result);
    }
    int result = mallopt(12345, 1);
    EXPECT(result == 0 || result == 1, "mallopt of an unknown parameter to return 0 or 1, got %d", result);
    result = mallopt(M_MXFAST, -5);
    EXPECT(result == 0, "mallopt(M_MXFAST, -5) to return 0, got %d", result);
    allocate_many(3000, 5000);
    free_many(3000, 5000);
    void *large = malloc(3 << 20);
    EXPECT(large != NULL, "a large block after mallopt");
    free(large);
}

// malloc_stats prints on standard error, nothing on standard output; the test reads what this
// prints.
static void stats_prints(void) {
    allocate_many(100, 1000);
    malloc_stats();
    free_many(100, 1000);
}

// The test reads the document.
static void info_prints(void) {
    allocate_many(100, 5000);
    void *large = malloc(10 << 20);
    char *text = NULL;
    size_t length = 0;
    FILE *memory = open_memstream(&text, &length);
    REQUIRE(memory != NULL, "open_memstream to work");
    EXPECT(malloc_info(0, memory) == 0, "malloc_info(0, stream) to return 0");
    EXPECT(malloc_info(1, memory) != 0, "malloc_info(1, stream) to fail: no option is defined");
    fclose(memory);
    REQUIRE(write(1, text, length) == (ssize_t)length, "the document to be printed");
    free(text);
    free(large);
    free_many(100, 5000);
    // A document and no more on standard output: the usual last line would spoil it.
    _exit(failures == 0 ? 0 : 1);
}

int main(int argc, char **argv) {
    static const struct test_case cases[] = {
        CASE(trim_gives_back), CASE(mallinfo2_counts), CASE(mallinfo2_is_exact), CASE(mallinfo_counts),
        CASE(mallopt_accepts), CASE(stats_prints),     CASE(info_prints),
    };
    return RUN_CASES(cases);
}
