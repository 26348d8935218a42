// Promises of mallctl(3) as Percolate keeps them: what arenas, purging and the background thread
// do.
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "jemalloc.h"
#include "resident.h"

enum { PAGE = 4096, MiB = 1 << 20 };

static void purge_gives_memory_back(void) {
    static const char *const names[] = {"arena.0.purge", "arena.1.purge", "arena.4096.purge"};
    enum { count = 20000 };
    static void *blocks[count];
    for (int n = 0; n < 3; n++) {
        for (int i = 0; i < count; i++) memset(blocks[i] = malloc(5000), 1, 5000);
        long loaded = resident_mib();
        for (int i = 0; i < count; i++) free(blocks[i]);
        REQUIRE(mallctl(names[n], NULL, NULL, NULL, 0) == 0, "%s to work", names[n]);
        EXPECT(resident_mib() <= loaded - 85, "95 MiB to go back by %s: %ld before, %ld after",
            names[n], loaded, resident_mib());
        refresh();
        EXPECT(READ(size_t, "stats.arenas.0.pdirty") * PAGE < 2 * MiB,
            "hardly any page to be free and resident");
    }
}

static void arenas_are_made_and_given_up(void) {
    unsigned count = READ(unsigned, "arenas.narenas");
    unsigned first = READ(unsigned, "arenas.create"), second = READ(unsigned, "arenas.create");
    EXPECT(first == count && second == count + 1, "new numbers, they are %u and %u", first, second);
    EXPECT(READ(unsigned, "arenas.narenas") == count + 2, "two arenas more");
    char name[64];
    snprintf(name, sizeof name, "arena.%u.initialized", first);
    EXPECT(READ(bool, name) == true, "the arena to exist");
    snprintf(name, sizeof name, "arena.%u.dirty_decay_ms", first);
    EXPECT(WRITE(ssize_t, name, 0) == 0, "a time to be accepted");
    EXPECT(WRITE(unsigned, "thread.arena", second) == 0 && READ(unsigned, "thread.arena") == second,
        "the thread to say its arena");
    char *block = mallocx(1000, MALLOCX_ARENA(first) | MALLOCX_TCACHE_NONE);
    fill(block, 1000, 1);
    snprintf(name, sizeof name, "arena.%u.purge", first);
    EXPECT(mallctl(name, NULL, NULL, NULL, 0) == 0, "an arena to be purged");
    snprintf(name, sizeof name, "arena.%u.destroy", first);
    EXPECT(mallctl(name, NULL, NULL, NULL, 0) == 0, "the arena to be given up");
    EXPECT(mallctl(name, NULL, NULL, NULL, 0) == EFAULT, "not twice");
    EXPECT(first_difference(block, 1000, 1) == 1000, "its block to be as it was");
    dallocx(block, 0);
    snprintf(name, sizeof name, "arena.%u.initialized", first);
    EXPECT(READ(bool, name) == false, "the arena to be gone");
    EXPECT(READ(unsigned, "arenas.create") == first, "its number to be used again");
    // As many as MALLOCX_ARENA can say, and no more.
    int made = 3;
    unsigned arena;
    size_t length = sizeof arena;
    int error;
    while ((error = mallctl("arenas.create", &arena, &length, NULL, 0)) == 0) made++;
    EXPECT(error == EAGAIN && made > 4000, "EAGAIN in the end, it is %d after %d", error, made);
    unsigned cache;
    for (made = 0; (error = mallctl("tcache.create", &cache, &length, NULL, 0)) == 0; made++) {}
    EXPECT(error == EAGAIN && made > 4000, "EAGAIN in the end, it is %d after %d", error, made);
    void *hooks = &made;
    length = sizeof arena;
    EXPECT(mallctl("arenas.create", &arena, &length, &hooks, sizeof hooks) == EFAULT,
        "hooks to be refused");
    void *ours = malloc(100);
    EXPECT(mallctl("arenas.lookup", &arena, &length, &ours, sizeof ours) == 0 && arena == 0,
        "a block to lie in arena 0");
}

static void times_choose_the_release(void) {
    enum { count = 10000 };
    static void *blocks[count];
    ssize_t before = READ(ssize_t, "opt.dirty_decay_ms");
    EXPECT(WRITE(ssize_t, "arena.0.dirty_decay_ms", -1) == 0 &&
               READ(ssize_t, "arena.0.dirty_decay_ms") == -1,
        "-1 to be taken");
    for (int i = 0; i < count; i++) memset(blocks[i] = malloc(8192), 1, 8192);
    long loaded = resident_mib();
    for (int i = 0; i < count; i++) free(blocks[i]);
    EXPECT(resident_mib() >= loaded - 2, "no page to go back: %ld before, %ld after", loaded,
        resident_mib());
    EXPECT(WRITE(ssize_t, "arena.4096.dirty_decay_ms", 0) == 0, "0 to be taken");
    EXPECT(READ(ssize_t, "arena.0.dirty_decay_ms") >= 0, "a time again");
    EXPECT(resident_mib() <= loaded - 70, "the pages to go back: %ld before, %ld after", loaded,
        resident_mib());
    EXPECT(READ(ssize_t, "opt.dirty_decay_ms") == before, "opt to say what was at start");
    EXPECT(WRITE(ssize_t, "arenas.dirty_decay_ms", 3000) == 0 &&
               WRITE(ssize_t, "arena.0.muzzy_decay_ms", 0) == 0,
        "to be accepted");
}

static void *idle(void *stop) {
    while (!atomic_load((atomic_int *)stop)) usleep(1000);
    return NULL;
}

static int threads(void) { return (int)status_kib("Threads"); }

// The scavenger ends when it is switched off, and comes again.
static void background_thread_is_the_scavenger(void) {
    REQUIRE(READ(bool, "background_thread") == true, "it to be wanted");
    EXPECT(READ(size_t, "stats.background_thread.num_threads") == 0 && threads() == 1,
        "no thread before the program has one");
    atomic_int stop = 0;
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, idle, &stop) == 0, "a thread");
    EXPECT(READ(size_t, "stats.background_thread.num_threads") == 1 && threads() == 3,
        "the scavenger, there are %d threads", threads());
    for (int i = 0; i < 20; i++) {
        EXPECT(WRITE(bool, "background_thread", false) == 0 &&
                   READ(bool, "background_thread") == false,
            "to be switched off");
        EXPECT(READ(size_t, "stats.background_thread.num_threads") == 0 && threads() == 2,
            "no scavenger, there are %d threads", threads());
        EXPECT(WRITE(bool, "background_thread", false) == 0, "to be switched off twice");
        EXPECT(
            WRITE(bool, "background_thread", true) == 0 && READ(bool, "background_thread") == true,
            "to be switched on");
        EXPECT(READ(size_t, "stats.background_thread.num_threads") == 1 && threads() == 3,
            "the scavenger, there are %d threads", threads());
        EXPECT(READ(bool, "opt.background_thread") == true, "opt to say what was at start");
    }
    EXPECT(WRITE(size_t, "max_background_threads", 0) == 0 && threads() == 2, "no scavenger");
    EXPECT(WRITE(bool, "background_thread", true) == 0 && threads() == 2, "still none");
    EXPECT(WRITE(size_t, "max_background_threads", 1) == 0 &&
               WRITE(bool, "background_thread", true) == 0 && threads() == 3,
        "it again");
    // It works: free pages go back by themselves.
    enum { count = 10000 };
    static void *blocks[count];
    for (int i = 0; i < count; i++) memset(blocks[i] = malloc(8192), 1, 8192);
    long loaded = resident_mib();
    for (int i = 0; i < count; i++) free(blocks[i]);
    for (int i = 0; i < 100 && resident_mib() > loaded - 60; i++) usleep(100000);
    EXPECT(resident_mib() <= loaded - 60, "the pages to go back: %ld before, %ld after", loaded,
        resident_mib());
    atomic_store(&stop, 1);
    pthread_join(thread, NULL);
}

int main(int argc, char **argv) {
    static const struct test_case cases[] = {
        CASE(purge_gives_memory_back),
        CASE(arenas_are_made_and_given_up),
        CASE(times_choose_the_release),
        CASE(background_thread_is_the_scavenger),
    };
    return RUN_CASES(cases);
}
