// Promises of the sized frees of C23, of cfree, and of the names that glibc has for itself. None of
// them is declared by the headers of every glibc, so they are looked up.
#include "resident.h"

typedef void free_sized_function(void *, size_t);
typedef void free_aligned_sized_function(void *, size_t, size_t);

// The right size is the one that was asked for, whichever class it fell into.
static void free_sized_right(void) {
    free_sized_function *free_sized = (free_sized_function *)entry_point("free_sized");
    for (size_t size = 0; size <= 100000; size++) {
        void *block = size % 3 == 0 ? malloc(size) : size % 3 == 1 ? calloc(1, size) : realloc(NULL, size);
        REQUIRE(block != NULL, "malloc(%zu) to work", size);
        if (size > 0) *(char *)block = 1;
        errno = 31;
        free_sized(block, size);
        EXPECT(errno == 31, "free_sized of %zu bytes to keep errno, it is %d", size, errno);
    }
    for (size_t size = 100001; size < (size_t)64 << 20; size += size / 5) {
        void *block = malloc(size);
        REQUIRE(block != NULL, "malloc(%zu) to work", size);
        free_sized(block, size);
    }
    free_sized(NULL, 0);
    free_sized(NULL, 100);
    free_sized(NULL, SIZE_MAX);
}

// Many at a time, so that blocks of one size live in several spans.
static void free_sized_in_batches(void) {
    free_sized_function *free_sized = (free_sized_function *)entry_point("free_sized");
    enum { count = 2000 };
    static void *blocks[count];
    for (size_t size = 0; size <= 20000; size = size * 9 / 8 + 1) {
        for (int i = 0; i < count; i++) {
            blocks[i] = malloc(size);
            REQUIRE(blocks[i] != NULL, "malloc(%zu) to work", size);
        }
        for (int i = 0; i < count; i++) free_sized(blocks[(i * 7) % count], size);
    }
}

// After realloc the new size is the right one, also when the block stayed where it was.
static void free_sized_after_realloc(void) {
    free_sized_function *free_sized = (free_sized_function *)entry_point("free_sized");
    for (size_t from = 1; from < 3000000; from = from * 3 / 2 + 1) {
        for (size_t to = 1; to < 3000000; to = to * 7 / 5 + 1) {
            void *block = realloc(malloc(from), to);
            REQUIRE(block != NULL, "realloc from %zu to %zu to work", from, to);
            free_sized(block, to);
        }
    }
    for (size_t from = 1; from < 3000; from += 3) {
        for (size_t to = from > 40 ? from - 40 : 1; to < from + 40; to += 7) {
            free_sized(realloc(malloc(from), to), to);
        }
    }
}

static void free_aligned_sized_right(void) {
    free_aligned_sized_function *free_aligned_sized =
        (free_aligned_sized_function *)entry_point("free_aligned_sized");
    for (size_t alignment = 1; alignment <= (size_t)4 << 20; alignment *= 2) {
        for (size_t size = 0; size <= 300000; size = size * 6 / 5 + 1) {
            void *block = aligned_alloc(alignment, size);
            REQUIRE(block != NULL, "aligned_alloc(%zu, %zu) to work", alignment, size);
            errno = 32;
            free_aligned_sized(block, alignment, size);
            EXPECT(errno == 32, "free_aligned_sized(%zu, %zu) to keep errno, it is %d", alignment, size, errno);
        }
    }
    free_aligned_sized(NULL, 16, 100);
    free_aligned_sized(NULL, 0, 0);
}

// Were the blocks only accepted and not freed, a gigabyte would be resident.
static void sized_frees_free(void) {
    free_sized_function *free_sized = (free_sized_function *)entry_point("free_sized");
    free_aligned_sized_function *free_aligned_sized =
        (free_aligned_sized_function *)entry_point("free_aligned_sized");
    void (*cfree)(void *) = (void (*)(void *))entry_point("cfree");
    for (int i = 0; i < 100000; i++) {
        free_sized(memset(malloc(3000), 1, 3000), 3000);
        free_aligned_sized(memset(aligned_alloc(64, 3000), 1, 3000), 64, 3000);
        cfree(memset(malloc(3000), 1, 3000));
    }
    long resident = resident_mib();
    EXPECT(resident < 100, "at most 100 MiB to be resident of 900 MB that were freed, %ld are", resident);
}

static void cfree_frees(void) {
    void (*cfree)(void *) = (void (*)(void *))entry_point("cfree");
    for (size_t size = 0; size < 5000000; size = size * 2 + 1) {
        void *block = calloc(1, size);
        REQUIRE(block != NULL, "calloc(1, %zu) to work", size);
        errno = 33;
        cfree(block);
        EXPECT(errno == 33, "cfree of %zu bytes to keep errno, it is %d", size, errno);
    }
    cfree(NULL);
}

// The `__libc_` forms and the plain ones are one allocator: each may free what the other allocated.
static void libc_forms(void) {
    void *(*libc_malloc)(size_t) = (void *(*)(size_t))entry_point("__libc_malloc");
    void *(*libc_calloc)(size_t, size_t) = (void *(*)(size_t, size_t))entry_point("__libc_calloc");
    void *(*libc_realloc)(void *, size_t) = (void *(*)(void *, size_t))entry_point("__libc_realloc");
    void (*libc_free)(void *) = (void (*)(void *))entry_point("__libc_free");
    void *(*libc_memalign)(size_t, size_t) = (void *(*)(size_t, size_t))entry_point("__libc_memalign");
    void *(*libc_valloc)(size_t) = (void *(*)(size_t))entry_point("__libc_valloc");
    void *(*libc_pvalloc)(size_t) = (void *(*)(size_t))entry_point("__libc_pvalloc");
    int (*posix)(void **, size_t, size_t) = (int (*)(void **, size_t, size_t))entry_point("__posix_memalign");
    for (size_t size = 0; size < 3000000; size = size * 3 / 2 + 1) {
        void *blocks[8] = {libc_malloc(size),         libc_calloc(1, size), libc_realloc(NULL, size),
                           libc_memalign(256, size),  libc_valloc(size),    libc_pvalloc(size), NULL, malloc(size)};
        EXPECT(posix(&blocks[6], 512, size) == 0, "__posix_memalign(512, %zu) to work", size);
        EXPECT(is_aligned(blocks[3], 256) && is_aligned(blocks[6], 512), "__libc_memalign to align to 256");
        EXPECT(is_aligned(blocks[4], 4096) && is_aligned(blocks[5], 4096), "__libc_valloc to start a page");
        for (int i = 0; i < 8; i++) {
            REQUIRE(blocks[i] != NULL && malloc_usable_size(blocks[i]) >= size, "%zu bytes of form %d", size, i);
            fill(blocks[i], size, (unsigned)i);
        }
        for (int i = 0; i < 8; i++) {
            EXPECT(first_difference(blocks[i], size, (unsigned)i) == size, "%zu bytes of form %d to keep", size, i);
            blocks[i] = libc_realloc(blocks[i], size * 2 + 1);
            REQUIRE(blocks[i] != NULL, "__libc_realloc to %zu to work", size * 2 + 1);
            EXPECT(first_difference(blocks[i], size, (unsigned)i) == size, "__libc_realloc to keep form %d", i);
            if (i == 7) libc_free(blocks[i]);
            else free(blocks[i]);
        }
    }
    errno = 0;
    EXPECT(libc_malloc(opaque(SIZE_MAX)) == NULL && errno == ENOMEM, "__libc_malloc(SIZE_MAX) to fail");
    EXPECT(libc_calloc(opaque(SIZE_MAX), 2) == NULL && errno == ENOMEM, "__libc_calloc(SIZE_MAX, 2) to fail");
    libc_free(NULL);
}

int main(int argc, char **argv) {
    static const struct test_case cases[] = {
        CASE(free_sized_right),         CASE(free_sized_in_batches), CASE(free_sized_after_realloc),
        CASE(free_aligned_sized_right), CASE(sized_frees_free),      CASE(cfree_frees),
        CASE(libc_forms),
    };
    return RUN_CASES(cases);
}
