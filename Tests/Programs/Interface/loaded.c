// loaded LIBRARY CASE: a program on glibc's malloc that loads the allocator with dlopen and uses it
// beside glibc's.
#include "check.h"
#include <pthread.h>

static const char *path;

struct allocator {
    void *handle;
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void *(*aligned_alloc)(size_t, size_t);
    size_t (*malloc_usable_size)(void *);
    void (*free)(void *);
};

static void *symbol(void *handle, const char *name) {
    void *function = dlsym(handle, name);
    REQUIRE(function != NULL, "%s to define %s", path, name);
    Dl_info info;
    REQUIRE(dladdr(function, &info) != 0 && strstr(info.dli_fname, "percolate") != NULL, "%s to be its own", name);
    return function;
}

static struct allocator load(void) {
    struct allocator loaded;
    loaded.handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    REQUIRE(loaded.handle != NULL, "%s to load: %s", path, dlerror());
    loaded.malloc = (void *(*)(size_t))symbol(loaded.handle, "malloc");
    loaded.calloc = (void *(*)(size_t, size_t))symbol(loaded.handle, "calloc");
    loaded.realloc = (void *(*)(void *, size_t))symbol(loaded.handle, "realloc");
    loaded.aligned_alloc = (void *(*)(size_t, size_t))symbol(loaded.handle, "aligned_alloc");
    loaded.malloc_usable_size = (size_t(*)(void *))symbol(loaded.handle, "malloc_usable_size");
    loaded.free = (void (*)(void *))symbol(loaded.handle, "free");
    EXPECT((void *)loaded.malloc != (void *)malloc, "the program's own malloc to stay glibc's");
    return loaded;
}

enum { count = 3000 };

// Both allocators work in turn; each frees its own.
static void use_both(const struct allocator *loaded) {
    void **own = (void **)calloc(count, sizeof(void *)), **theirs = (void **)loaded->calloc(count, sizeof(void *));
    REQUIRE(own != NULL && theirs != NULL, "both allocators to work");
    for (int i = 0; i < count; i++) {
        size_t size = (size_t)(i * 37) % 5000 + (i % 100 == 0 ? 300000 : 0);
        own[i] = malloc(size);
        theirs[i] = i % 3 == 0 ? loaded->aligned_alloc(64, size) : loaded->malloc(size);
        REQUIRE(own[i] != NULL && theirs[i] != NULL, "%zu bytes of both", size);
        fill(own[i], size, (unsigned)i);
        fill(theirs[i], size, (unsigned)i + 1);
        EXPECT(loaded->malloc_usable_size(theirs[i]) >= size, "%zu usable bytes", size);
    }
    for (int i = 0; i < count; i++) {
        size_t size = (size_t)(i * 37) % 5000 + (i % 100 == 0 ? 300000 : 0);
        EXPECT(first_difference(own[i], size, (unsigned)i) == size, "glibc's %zu bytes to survive", size);
        theirs[i] = loaded->realloc(theirs[i], size + 100);
        EXPECT(first_difference(theirs[i], size, (unsigned)i + 1) == size, "Percolate's %zu bytes to survive", size);
        free(own[i]);
        loaded->free(theirs[i]);
    }
    free(own);
    loaded->free(theirs);
}

static void after_using_glibc(void) {
    void *before[500];
    for (int i = 0; i < 500; i++) before[i] = malloc((size_t)i * 20);
    struct allocator loaded = load();
    use_both(&loaded);
    for (int i = 0; i < 500; i++) free(before[i]);
}

static void *thread_body(void *unused) {
    struct allocator loaded = load();
    use_both(&loaded);
    return unused;
}

static void in_threads(void) {
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) REQUIRE(pthread_create(&threads[i], NULL, thread_body, NULL) == 0, "a thread");
    for (int i = 0; i < 8; i++) pthread_join(threads[i], NULL);
}

// Closing takes nothing away: the library stays mapped, and its blocks and functions live on.
static void closing_is_harmless(void) {
    struct allocator loaded = load();
    char *block = (char *)loaded.malloc(1000);
    REQUIRE(block != NULL, "malloc(1000) to work");
    fill(block, 1000, 1);
    EXPECT(dlclose(loaded.handle) == 0, "dlclose to work");
    EXPECT(first_difference(block, 1000, 1) == 1000, "the block to live on");
    use_both(&loaded);
    loaded.free(block);
    struct allocator again = load();
    EXPECT((void *)again.malloc == (void *)loaded.malloc, "the same library when loaded again");
    for (int i = 0; i < 20; i++) dlclose(again.handle);
    use_both(&again);
}

int main(int argc, char **argv) {
    static const struct test_case cases[] = {CASE(after_using_glibc), CASE(in_threads), CASE(closing_is_harmless)};
    REQUIRE(argc > 1, "the library's path");
    path = argv[1];
    return run_case(argc - 1, argv + 1, cases, sizeof cases / sizeof cases[0]);
}
