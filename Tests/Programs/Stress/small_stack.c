/// Threads with stacks of 16 KiB do everything a thread can do with an allocator, slow paths
/// included, above a page that may not be touched; and a signal handler does it on an alternate
/// stack of the least size. Reports how much stack was used.
///
///   small_stack [THREADS]
#include "check.h"

#include <malloc.h>

enum { stack_bytes = 16384, guard_bytes = 65536, paint = 0xA5, blocks_count = 600 };

/// The frame of the caller must not hold the table: the stack is for the allocator.
static void *blocks[blocks_count];
static _Atomic(void *) left_over;

static void exercise(void) {
    for (size_t size = 0; size <= 64 << 20; size = size * 2 + 24) {
        void *first = malloc(size), *second = calloc(1, size);
        CHECK(first != NULL && second != NULL);
        first = realloc(first, size * 2 + 1);
        CHECK(first != NULL);
        second = realloc(second, size / 2 + 1);
        CHECK(second != NULL);
        CHECK(malloc_usable_size(first) >= size * 2 + 1);
        free(first);
        free(second);
        CHECK(posix_memalign(&first, 4096, size + 1) == 0);
        free(first);
    }
    // More of one class than any cache holds: refills, spans from the page level, drains, and spans
    // given back.
    for (size_t size = 16; size <= 32768; size *= 4) {
        for (int i = 0; i < blocks_count; i++) CHECK((blocks[i] = malloc(size)) != NULL);
        for (int i = 0; i < blocks_count; i++) free(blocks[i]);
    }
    // Larger than the address space: the path that fails must fit as well. The size is not a
    // constant, which a compiler would warn about.
    volatile size_t impossible = PTRDIFF_MAX;
    errno = 0;
    CHECK(malloc(impossible) == NULL && errno == ENOMEM);
    CHECK(calloc(impossible, 2) == NULL && errno == ENOMEM);
    malloc_trim(0);
}

static void *live(void *argument) {
    (void)argument;
    exercise();
    free(atomic_exchange(&left_over, malloc(3000)));
    return NULL;
}

/// Memory below which lies a guard that the stack cannot jump over unseen.
static unsigned char *guarded_stack(size_t bytes) {
    unsigned char *map = map_zeroed(guard_bytes + bytes, false);
    CHECK(mprotect(map, guard_bytes, PROT_NONE) == 0);
    memset(map + guard_bytes, paint, bytes);
    return map + guard_bytes;
}

static size_t used_bytes(const unsigned char *stack, size_t bytes) {
    size_t untouched = 0;
    while (untouched < bytes && stack[untouched] == paint) untouched++;
    return bytes - untouched;
}

static size_t run_thread(unsigned char *stack) {
    pthread_attr_t attributes;
    CHECK_ZERO(pthread_attr_init(&attributes));
    CHECK_ZERO(pthread_attr_setstack(&attributes, stack, stack_bytes));
    pthread_t thread;
    CHECK_ZERO(pthread_create(&thread, &attributes, live, NULL));
    CHECK_ZERO(pthread_join(thread, NULL));
    CHECK_ZERO(pthread_attr_destroy(&attributes));
    return used_bytes(stack, stack_bytes);
}

static volatile sig_atomic_t handled;

static void handle(int number) {
    (void)number;
    exercise();
    handled = 1;
}

int main(int count, char **texts) {
    uint64_t threads = count > 1 ? number_argument(texts[1]) : 20;
    watch("threads with small stacks", 110);
    unsigned char *stack = guarded_stack(stack_bytes);
    size_t most = 0;
    for (uint64_t i = 0; i < threads; i++) {
        size_t used = run_thread(stack);
        if (used > most) most = used;
    }
    free(left_over);
    // The kernel's frame takes what sysconf says; the rest is the handler's, as in a program that
    // adds a little.
    size_t alternate_bytes = (size_t)sysconf(_SC_MINSIGSTKSZ) + 6144;
    stack_t alternate = {.ss_sp = guarded_stack(alternate_bytes), .ss_size = alternate_bytes};
    CHECK(sigaltstack(&alternate, NULL) == 0);
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK(raise(SIGUSR1) == 0 && handled);
    printf("small_stack: %llu threads of %d bytes\n", (unsigned long long)threads, (int)stack_bytes);
    fprintf(stderr, "used: %zu bytes of a thread's stack, %zu of %zu of the alternate stack\n", most,
        used_bytes(alternate.ss_sp, alternate_bytes), alternate_bytes);
    return 0;
}
