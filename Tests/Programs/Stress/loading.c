/// Threads load and unload a library, use it in other threads, and free its blocks after it is
/// gone.
///
///   loading PLUGIN [TURNS-PER-THREAD]
#include "check.h"

#include <dlfcn.h>

enum { threads = 4, copies = 3 };

static const char *plugin;
static uint64_t turns = 150;

typedef void *block_function(size_t, int);

static void *call(void *function) { return ((block_function *)function)(5000, 77); }

static void *load(void *argument) {
    struct random random = {(uint64_t)(uintptr_t)argument};
    for (uint64_t i = 0; i < turns; i++) {
        // A private copy of the file is another library to the loader, so that unloading does
        // unload.
        char path[512];
        snprintf(path, sizeof path, "%s.%d.%d", plugin, (int)getpid(), (int)random_below(&random, copies));
        void *library = dlopen(path, random_below(&random, 2) ? RTLD_NOW : RTLD_LAZY);
        if (library == NULL) fail("dlopen: %s", dlerror());
        void *function = dlsym(library, "plugin_block");
        CHECK(function != NULL);
        CHECK(dlsym(library, "no_such_symbol") == NULL && dlerror() != NULL);
        size_t size = random_below(&random, 100000);
        unsigned char *own = ((block_function *)function)(size, (int)(size & 255)), *others = NULL;
        pthread_t thread;
        CHECK_ZERO(pthread_create(&thread, NULL, call, function));
        CHECK_ZERO(pthread_join(thread, (void **)&others));
        CHECK(dlclose(library) == 0);
        CHECK(own != NULL && others != NULL);
        for (size_t j = 0; j < size; j++) CHECK(own[j] == (size & 255));
        for (size_t j = 0; j < 5000; j++) CHECK(others[j] == 77);
        free(own);
        free(others);
        CHECK(dlopen("/no/such/library.so", RTLD_NOW) == NULL && dlerror() != NULL);
    }
    return NULL;
}

static void copy_file(const char *from, const char *to) {
    static char bytes[1 << 20];
    FILE *source = fopen(from, "rb"), *target = fopen(to, "wb");
    CHECK(source != NULL && target != NULL);
    size_t length = fread(bytes, 1, sizeof bytes, source);
    CHECK(length > 0 && length < sizeof bytes);
    CHECK(fwrite(bytes, 1, length, target) == length);
    CHECK(fclose(source) == 0 && fclose(target) == 0);
}

int main(int count, char **texts) {
    if (count < 2) fail("loading PLUGIN [TURNS-PER-THREAD]");
    plugin = texts[1];
    if (count > 2) turns = number_argument(texts[2]);
    watch("loading and unloading a library", 110);
    char path[512];
    for (int i = 0; i < copies; i++) {
        snprintf(path, sizeof path, "%s.%d.%d", plugin, (int)getpid(), i);
        copy_file(plugin, path);
    }
    pthread_t started[threads];
    for (int i = 0; i < threads; i++) CHECK_ZERO(pthread_create(&started[i], NULL, load, (void *)(uintptr_t)(i + 1)));
    for (int i = 0; i < threads; i++) CHECK_ZERO(pthread_join(started[i], NULL));
    for (int i = 0; i < copies; i++) {
        snprintf(path, sizeof path, "%s.%d.%d", plugin, (int)getpid(), i);
        CHECK(unlink(path) == 0);
    }
    printf("loading: %llu turns\n", (unsigned long long)(turns * threads));
    return 0;
}
