// Frees pointers into the middle of blocks.
#include "crime.h"

// Of a small block, among enough frees of its class that its batch reaches its span.
static void inside_small(size_t size, size_t offset) {
    allocate_neighbours(size);
    free_neighbours(neighbours_allocated() / 2);
    char *inside = (char *)neighbours[0] + offset;
    neighbours[0] = NULL;
    about_to_misuse(inside);
    free(hidden(inside));
    returned();
    free_neighbours(0);
}

static void small_second_half(void) { inside_small(64, 32); }
static void small_odd(void) { inside_small(200, 7); }
static void medium_page(void) { inside_small(12000, 4096); }

// malloc_trim empties the caches, and so brings every batch to its span.
static void small_before_trim(void) {
    stay_on_one_cpu();
    char *block = (char *)obtained(malloc(200));
    about_to_misuse(block + 16);
    free(hidden(block + 16));
    returned();
    malloc_trim(0);
}

static void inside_large(size_t size, size_t offset) {
    char *block = (char *)obtained(malloc(size));
    about_to_misuse(block + offset);
    free(hidden(block + offset));
    returned();
}

static void large_first_bytes(void) { inside_large((size_t)4 << 20, 16); }
static void large_page(void) { inside_large((size_t)4 << 20, 4096); }
static void large_middle(void) { inside_large((size_t)4 << 20, (size_t)2 << 20); }
static void large_end(void) { inside_large((size_t)4 << 20, ((size_t)4 << 20) - 16); }

// A block whose alignment moved it into its pages.
static void large_aligned(void) {
    char *block = (char *)obtained(aligned_alloc((size_t)1 << 20, (size_t)3 << 20));
    about_to_misuse(block + 64);
    free(hidden(block + 64));
    returned();
}

static void realloc_large(void) {
    char *block = (char *)obtained(malloc((size_t)4 << 20));
    about_to_misuse(block + 8192);
    if (realloc(hidden(block + 8192), (size_t)9 << 20) != NULL) returned();
    returned();
}

static void realloc_small(void) {
    char *block = (char *)obtained(malloc(64));
    about_to_misuse(block + 16);
    if (realloc(hidden(block + 16), 5000) != NULL) returned();
    returned();
}

int main(int argc, char **argv) {
    static const struct crime crimes[] = {
        CRIME(small_second_half), CRIME(small_odd),    CRIME(medium_page),   CRIME(large_first_bytes),
        CRIME(large_page),        CRIME(large_middle), CRIME(large_end),     CRIME(large_aligned),
        CRIME(realloc_large),     CRIME(realloc_small), CRIME(small_before_trim),
    };
    return COMMIT(crimes);
}
