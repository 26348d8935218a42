// Hands the allocator pointers that it never handed out.
#include "crime.h"

static char global[4096] __attribute__((aligned(64)));

static void free_it(void *pointer) {
    about_to_misuse(pointer);
    free(hidden(pointer));
    returned();
}

static void free_stack(void) {
    char local[256] __attribute__((aligned(64)));
    memset(local, 0, sizeof local);
    free_it(local);
}

static void free_global(void) { free_it(global + 64); }

static void free_code(void) { free_it((void *)((uintptr_t)free_code & ~(uintptr_t)15)); }

// glibc's own malloc, found by its library's handle: what it hands out is not ours, from its heap
// or mapped.
static void *from_glibc(size_t size) {
    void *glibc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    if (glibc == NULL) _exit(6);
    void *(*glibc_malloc)(size_t) = (void *(*)(size_t))dlsym(glibc, "malloc");
    return obtained(glibc_malloc(size));
}

static void free_glibc_small(void) { free_it(from_glibc(100)); }
static void free_glibc_large(void) { free_it(from_glibc(1 << 20)); }

static void free_brk(void) {
    char *heap = (char *)sbrk(8192);
    if (heap == (void *)-1) _exit(4);
    free_it((void *)(((uintptr_t)heap + 1023) & ~(uintptr_t)1023));
}

static char *mapping(void) {
    char *pages = (char *)mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) _exit(4);
    return pages;
}

static void free_mapping(void) { free_it(mapping()); }
static void free_inside_mapping(void) { free_it(mapping() + 4096 + 16); }

// Small integers and addresses that no process can have.
static void free_small_number(void) { free_it((void *)(uintptr_t)16); }
static void free_non_canonical(void) { free_it((void *)(uintptr_t)0x8000000000001000); }
static void free_last_address(void) { free_it((void *)(UINTPTR_MAX - 15)); }

// After much ordinary use, from warm caches.
static void free_stack_when_warm(void) {
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 2000; i++) neighbours[i] = obtained(malloc(256));
        for (int i = 0; i < 2000; i++) free(neighbours[i]);
    }
    free_stack();
}

static void realloc_stack(void) {
    char local[256] __attribute__((aligned(64)));
    about_to_misuse(local);
    if (realloc(hidden(local), 1000) != NULL) returned();
    returned();
}

static void realloc_to_zero(void) {
    about_to_misuse(global + 64);
    if (realloc(hidden(global + 64), 0) != NULL) returned();
    returned();
}

static void reallocarray_mapping(void) {
    char *pages = mapping();
    about_to_misuse(pages);
    if (reallocarray(hidden(pages), 10, 10) != NULL) returned();
    returned();
}

static void usable_size_of_global(void) {
    about_to_misuse(global + 64);
    say("size %zu", malloc_usable_size(hidden(global + 64)));
    returned();
}

static void sized_free_of_stack(void) {
    void (*free_sized)(void *, size_t) = (void (*)(void *, size_t))function("free_sized");
    char local[256] __attribute__((aligned(64)));
    about_to_misuse(local);
    free_sized(hidden(local), 256);
    returned();
}

int main(int argc, char **argv) {
    static const struct crime crimes[] = {
        CRIME(free_stack),          CRIME(free_global),          CRIME(free_code),          CRIME(free_glibc_small),
        CRIME(free_glibc_large),    CRIME(free_brk),             CRIME(free_mapping),       CRIME(free_inside_mapping),
        CRIME(free_small_number),   CRIME(free_non_canonical),   CRIME(free_last_address),  CRIME(free_stack_when_warm),
        CRIME(realloc_stack),       CRIME(realloc_to_zero),      CRIME(reallocarray_mapping),
        CRIME(usable_size_of_global), CRIME(sized_free_of_stack),
    };
    return COMMIT(crimes);
}
