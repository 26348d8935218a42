/// A library whose own fork handlers allocate and free in all three phases. Its first handlers are
/// registered by a constructor, so before or after those of the allocator as the loader orders
/// them; `register_more` adds a second set from main, after both.
#include "check.h"

static _Atomic uint64_t calls[3];
static void *kept[3];

/// Some classes, the page level, and a block that crosses from each phase to the next.
static void allocate_and_free(int phase) {
    atomic_fetch_add(&calls[phase], 1);
    void *blocks[64];
    for (int i = 0; i < 64; i++) {
        size_t size = i < 60 ? (size_t)i * 40 : (size_t)100000 << (i - 60);
        blocks[i] = malloc(size);
        CHECK(blocks[i] != NULL);
        memset(blocks[i], i, size);
    }
    for (int i = 0; i < 64; i += 2) {
        blocks[i] = realloc(blocks[i], (size_t)i * 100 + 1);
        CHECK(blocks[i] != NULL && (i == 0 || *(unsigned char *)blocks[i] == i));
    }
    for (int i = 0; i < 64; i++) free(blocks[i]);
    for (int i = 0; i < 3; i++) {
        free(kept[i]);
        kept[i] = calloc(1, (size_t)300 << (4 * i));
        CHECK(kept[i] != NULL);
    }
}

static void before(void) { allocate_and_free(0); }
static void in_parent(void) { allocate_and_free(1); }
static void in_child(void) { allocate_and_free(2); }

void register_more(void) { CHECK_ZERO(pthread_atfork(before, in_parent, in_child)); }

__attribute__((constructor(101))) static void construct(void) { register_more(); }

uint64_t handler_calls(int phase) { return calls[phase]; }
