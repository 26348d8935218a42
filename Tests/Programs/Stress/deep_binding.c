/// Blocks pass between the program and a library that it loads with RTLD_DEEPBIND, in both
/// directions. The library is named without a folder: dlopen must find it by the program's RUNPATH,
/// and so must know who called it.
///
///   deep_binding LIBRARY            by dlopen deep_binding LIBRARY namespace  by dlmopen, into the
///   program's own namespace deep_binding LIBRARY libc       by libc's own dlopen: then a block on
///   the wrong side ends the process
#include "check.h"

#include <dlfcn.h>
#include <string.h>

static void *open_in_own_namespace(const char *file, int mode) { return dlmopen(LM_ID_BASE, file, mode); }

int main(int count, char **texts) {
    CHECK(count == 2 || count == 3);
    void *(*open)(const char *, int) = dlopen;
    if (count == 3 && strcmp(texts[2], "namespace") == 0) {
        open = open_in_own_namespace;
    } else if (count == 3) {
        open = (void *(*)(const char *, int))dlsym(dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD), "dlopen");
        CHECK(open != NULL && open != dlopen);
    }
    void *library = open(texts[1], RTLD_NOW | RTLD_DEEPBIND);
    if (!library) fail("%s", dlerror());
    void *(*make)(size_t, int) = (void *(*)(size_t, int))dlsym(library, "plugin_block");
    void (*take)(void *) = (void (*)(void *))dlsym(library, "plugin_free");
    CHECK(make != NULL && take != NULL);
    for (size_t size = 1; size < 100000; size += size / 2 + 1) {
        free(make(size, 1));
        void *block = malloc(size);
        CHECK(block != NULL);
        take(block);
        char *copy = realloc(make(size, 2), size * 2);
        CHECK(copy != NULL && copy[size - 1] == 2);
        take(copy);
    }
    CHECK_ZERO(dlclose(library));
    printf("deep_binding: blocks passed both ways\n");
    return 0;
}
