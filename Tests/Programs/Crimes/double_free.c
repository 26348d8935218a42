// Frees blocks twice.
#include "crime.h"
#include <pthread.h>

static void twice_at_once(size_t size) {
    stay_on_one_cpu();
    void *block = obtained(malloc(size));
    free(block);
    about_to_misuse(block);
    free(hidden(block));
    returned();
}

static void immediate_smallest(void) { twice_at_once(1); }
static void immediate_small(void) { twice_at_once(100); }
static void immediate_medium(void) { twice_at_once(20000); }
static void immediate_large(void) { twice_at_once((size_t)3 << 20); }
static void immediate_huge(void) { twice_at_once((size_t)100 << 20); }

static void immediate_when_warm(void) {
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 3000; i++) neighbours[i] = obtained(malloc(100));
        for (int i = 0; i < 3000; i++) free(neighbours[i]);
    }
    twice_at_once(100);
}

static void *thread_body(void *unused) {
    twice_at_once(100);
    return unused;
}

static void immediate_in_thread(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, thread_body, NULL) != 0) _exit(4);
    pthread_join(thread, NULL);
}

static void immediate_aligned(void) {
    stay_on_one_cpu();
    void *block = obtained(aligned_alloc(256, 1000));
    free(block);
    about_to_misuse(block);
    free(hidden(block));
    returned();
}

static void immediate_sized(void) {
    void (*free_sized)(void *, size_t) = (void (*)(void *, size_t))function("free_sized");
    stay_on_one_cpu();
    void *block = obtained(malloc(100));
    free_sized(block, 100);
    about_to_misuse(block);
    free_sized(hidden(block), 100);
    returned();
}

// Another block of the class is freed in between, so the top of the stack says nothing.
static void *free_two(void) {
    void *block = neighbours[0];
    free(block);
    free(neighbours[1]);
    neighbours[0] = neighbours[1] = NULL;
    return block;
}

static void older(void) {
    allocate_neighbours(100);
    free_neighbours(neighbours_allocated() / 2);
    void *block = free_two();
    about_to_misuse(block);
    free(hidden(block));
    returned();
    free_neighbours(0);
}

// malloc_trim empties the caches, and so brings every batch to its span.
static void older_before_trim(void) {
    allocate_neighbours(100);
    void *block = free_two();
    about_to_misuse(block);
    free(hidden(block));
    returned();
    malloc_trim(0);
}

// The whole span may be gone when its blocks are freed again.
static void long_gone(void) {
    allocate_neighbours(500);
    size_t count = neighbours_allocated();
    void **again = (void **)obtained(malloc(count * sizeof(void *)));
    memcpy(again, neighbours, count * sizeof(void *));
    free_neighbours(0);
    about_to_misuse(again[500]);
    for (size_t i = 500; i < count; i++) free(hidden(again[i]));
    returned();
    free(again);
}

static void older_large(void) {
    void *block = obtained(malloc((size_t)3 << 20)), *other = obtained(malloc((size_t)5 << 20));
    free(block);
    free(other);
    about_to_misuse(block);
    free(hidden(block));
    returned();
}

// realloc frees the old block; so does realloc to nothing.
static void after_realloc_large(void) {
    void *block = obtained(malloc((size_t)2 << 20));
    if (realloc(block, 0) != NULL) _exit(7);
    about_to_misuse(block);
    free(hidden(block));
    returned();
}

static void realloc_of_freed_large(void) {
    void *block = obtained(malloc((size_t)2 << 20));
    free(block);
    about_to_misuse(block);
    if (realloc(hidden(block), (size_t)4 << 20) != NULL) returned();
    returned();
}

static void realloc_of_freed_small(void) {
    void *block = obtained(malloc(100));
    free(block);
    about_to_misuse(block);
    if (realloc(hidden(block), 3000) != NULL) returned();
    returned();
}

// An object of a span in use that was never handed out.
static void never_allocated(void) {
    char *block = (char *)obtained(malloc(64));
    size_t size = malloc_usable_size(block);
    char *other = ((uintptr_t)block & 4095) + 2 * size <= 4096 ? block + size : block - size;
    about_to_misuse(other);
    free(hidden(other));
    returned();
}

int main(int argc, char **argv) {
    static const struct crime crimes[] = {
        CRIME(immediate_smallest),  CRIME(immediate_small),        CRIME(immediate_medium),
        CRIME(immediate_large),     CRIME(immediate_huge),         CRIME(immediate_when_warm),
        CRIME(immediate_in_thread), CRIME(immediate_aligned),      CRIME(immediate_sized),
        CRIME(older),               CRIME(older_before_trim),      CRIME(long_gone),
        CRIME(older_large),
        CRIME(after_realloc_large), CRIME(realloc_of_freed_large), CRIME(realloc_of_freed_small),
        CRIME(never_allocated),
    };
    return COMMIT(crimes);
}
