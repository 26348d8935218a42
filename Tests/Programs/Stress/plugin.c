/// A library that is loaded and unloaded: its constructor and destructor allocate and free, and it
/// has thread-local storage, which the loader allocates for each thread that touches it.
#include <stdlib.h>
#include <string.h>

static void *blocks[50];
static __thread unsigned char local[3000];

__attribute__((constructor)) static void construct(void) {
    for (size_t i = 0; i < 50; i++) blocks[i] = malloc(i * 60);
}

__attribute__((destructor)) static void destruct(void) {
    for (size_t i = 0; i < 50; i++) free(blocks[i]);
}

/// A block of `size` bytes, all `byte`; the caller frees it, perhaps after this library is gone.
void *plugin_block(size_t size, int byte) {
    for (size_t i = 0; i < sizeof local; i++)
        if (local[i] != 0) abort();
    void *block = malloc(size);
    if (block != NULL) memset(block, byte, size);
    return block;
}

void plugin_free(void *block) { free(block); }
