/// A thousand threads born and dying. Each allocates, frees what others left, and leaves blocks to
/// destructors that run while the thread ends: of pthread keys (which allocate again, for several
/// rounds) and of thread-local storage.
///
///   threads [THREADS [AT-ONCE]]
#include "check.h"

enum { exchange_slots = 512, most_at_once = 64, destructor_rounds = 3 };

extern int __cxa_thread_atexit_impl(void (*)(void *), void *, void *);
extern void *__dso_handle;

struct parting {
    pthread_key_t *key;
    int round;
    unsigned char bytes[200];
};

static _Atomic(unsigned char *) exchange[exchange_slots];
static pthread_key_t keys[8];
static _Atomic uint64_t key_destructors, thread_local_destructors;
static __thread struct random thread_random;

/// A block whose first 4 bytes say its size and whose others all hold the lowest byte of it.
static unsigned char *make_block(struct random *random) {
    uint32_t size = 4 + (uint32_t)random_below(random, random_below(random, 64) == 0 ? 200000 : 1000);
    unsigned char *block = malloc(size);
    CHECK(block != NULL);
    memset(block, (int)(size & 255), size);
    memcpy(block, &size, sizeof size);
    return block;
}

static void end_block(unsigned char *block) {
    if (block == NULL) return;
    uint32_t size;
    memcpy(&size, block, sizeof size);
    for (uint32_t i = sizeof size; i < size; i++)
        if (block[i] != (size & 255)) fail("%p of %u bytes is overwritten at %u", (void *)block, size, i);
    free(block);
}

/// Runs when the thread ends, and sets the key again: the destructors of a key run until nobody
/// does.
static void key_destructor(void *value) {
    struct parting *parting = value;
    for (size_t i = 0; i < sizeof parting->bytes; i++) CHECK(parting->bytes[i] == (unsigned char)parting->round);
    atomic_fetch_add(&key_destructors, 1);
    end_block(make_block(&thread_random));
    if (parting->round < destructor_rounds) {
        struct parting *next = calloc(1, sizeof *next);
        CHECK(next != NULL);
        next->key = parting->key;
        next->round = parting->round + 1;
        memset(next->bytes, next->round, sizeof next->bytes);
        CHECK_ZERO(pthread_setspecific(*next->key, next));
    }
    free(parting);
}

static void thread_local_destructor(void *value) {
    end_block(value);
    end_block(make_block(&thread_random));
    end_block(atomic_exchange(&exchange[random_below(&thread_random, exchange_slots)], make_block(&thread_random)));
    atomic_fetch_add(&thread_local_destructors, 1);
}

static void *live(void *argument) {
    thread_random.state = (uint64_t)(uintptr_t)argument;
    for (int i = 0; i < 8; i++) {
        struct parting *parting = calloc(1, sizeof *parting);
        CHECK(parting != NULL);
        parting->key = &keys[i];
        CHECK_ZERO(pthread_setspecific(keys[i], parting));
    }
    for (int i = 0; i < 4; i++)
        CHECK(__cxa_thread_atexit_impl(thread_local_destructor, make_block(&thread_random), &__dso_handle) == 0);
    for (int i = 0; i < 300; i++)
        end_block(atomic_exchange(
            &exchange[random_below(&thread_random, exchange_slots)], make_block(&thread_random)));
    return make_block(&thread_random);
}

int main(int count, char **texts) {
    uint64_t total = count > 1 ? number_argument(texts[1]) : 1000;
    uint64_t at_once = count > 2 ? number_argument(texts[2]) : 32;
    CHECK(at_once >= 1 && at_once <= most_at_once);
    watch("threads born and dying", 110);
    for (int i = 0; i < 8; i++) CHECK_ZERO(pthread_key_create(&keys[i], key_destructor));
    pthread_t started[most_at_once];
    for (uint64_t i = 0; i < total + at_once; i++) {
        if (i >= at_once) {
            void *last = NULL;
            CHECK_ZERO(pthread_join(started[i % at_once], &last));
            end_block(last);
        }
        if (i < total) CHECK_ZERO(pthread_create(&started[i % at_once], NULL, live, (void *)(uintptr_t)(i + 1)));
        if (i >= total && i - total + 1 >= at_once) break;
    }
    for (int i = 0; i < exchange_slots; i++) end_block(exchange[i]);
    CHECK(key_destructors == total * 8 * (destructor_rounds + 1));
    CHECK(thread_local_destructors == total * 4);
    printf("threads: %llu came and went\n", (unsigned long long)total);
    return 0;
}
