// Frees a pointer into a small block while threads keep many classes of the heap busy.
#include "crime.h"

#include <pthread.h>
#include <stdatomic.h>

enum { thread_count = 4, slot_count = 256, rounds = 100000, largest = 2000, victim_size = 160 };

static char *victim;
static atomic_int overlaps, is_freed;

struct slot {
    unsigned char *block;
    size_t size;
};

// Other blocks come and go before the crime and after it.
static void *work(void *seed) {
    unsigned state = (unsigned)(uintptr_t)seed;
    struct slot slots[slot_count] = {0};
    for (int round = 0; round < rounds || !atomic_load(&is_freed); round++) {
        state = state * 1664525 + 1013904223;
        struct slot *slot = &slots[state >> 24];
        free(slot->block);
        slot->size = 1 + (state >> 8) % largest;
        slot->block = obtained(malloc(slot->size));
        uintptr_t start = (uintptr_t)slot->block, its = (uintptr_t)victim;
        if (start < its + victim_size && its < start + slot->size) atomic_fetch_add(&overlaps, 1);
    }
    for (int i = 0; i < slot_count; i++) free(slots[i].block);
    return NULL;
}

static void busy(size_t offset) {
    pthread_t threads[thread_count];
    // Of a class that the threads use.
    for (int i = 0; i < 64; i++) victim = obtained(malloc(victim_size));
    for (uintptr_t i = 0; i < thread_count; i++) {
        if (pthread_create(&threads[i], NULL, work, (void *)(i + 1)) != 0) _exit(5);
    }
    usleep(20000);
    about_to_misuse(victim + offset);
    free(hidden(victim + offset));
    returned();
    atomic_store(&is_freed, 1);
    for (int i = 0; i < thread_count; i++) pthread_join(threads[i], NULL);
    if (overlaps > 0) say("overlapped by %d", overlaps);
    // Every batch reaches its span at the latest now.
    malloc_trim(0);
}

static void busy_middle(void) { busy(80); }
static void busy_odd(void) { busy(33); }
static void busy_end(void) { busy(144); }

int main(int argc, char **argv) {
    static const struct crime crimes[] = {CRIME(busy_middle), CRIME(busy_odd), CRIME(busy_end)};
    return COMMIT(crimes);
}
