// Calls that `percolate-compare instructions` single-steps. A breakpoint trap with the operation's number in rax stands
// before each call, one with zero after it; the tracer counts what runs in between outside this program's text.
#define _GNU_SOURCE  // for the affinity functions
#include "workload.h"

#include <dlfcn.h>
#include <sched.h>

#if !defined(__x86_64__)
#error "instructions are counted on x86-64 only"
#endif

enum operation {
    pair_malloc = 1, pair_free, sized_free, zeroed, grown, run_malloc, run_free, random_malloc, random_free, large_malloc,
    large_free,
};

static void *(*volatile allocate)(size_t);
static void (*volatile release)(void *);
static void (*volatile release_sized)(void *, size_t);
static void *(*volatile allocate_zeroed)(size_t, size_t);
static void *(*volatile reallocate)(void *, size_t);

static inline void trap(uint64_t operation) { __asm__ volatile("int3" : : "a"(operation) : "memory"); }

static void *stepped_malloc(enum operation operation, size_t size) {
    trap(operation);
    void *block = allocate(size);
    trap(0);
    return block;
}

static void stepped_free(enum operation operation, void *block) {
    trap(operation);
    release(block);
    trap(0);
}

static void *resolve(const char *name) {
    void *function = dlsym(RTLD_DEFAULT, name);
    if (function == NULL) workload_fail("a function of the allocator is missing");
    return function;
}

int main(int argc, char **argv) {
    workload_begin(argc, argv);
    uint64_t calls = workload_argument("calls", 200);
    uint64_t run = workload_argument("run", 1000);
    workload_arguments_end();
    // One CPU: a step that migrated would look at another CPU's cache.
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    if (sched_setaffinity(0, sizeof one, &one) != 0) workload_fail("sched_setaffinity failed");
    allocate = resolve("malloc");
    release = resolve("free");
    allocate_zeroed = resolve("calloc");
    reallocate = resolve("realloc");
    release_sized = resolve("_ZdlPvm");
    void **blocks = table(run, sizeof(void *));
    struct random_source source = random_seeded(9);

    for (int i = 0; i < 10000; i++) release(allocate(64));
    for (uint64_t i = 0; i < calls; i++) stepped_free(pair_free, stepped_malloc(pair_malloc, 64));
    for (uint64_t i = 0; i < calls; i++) {
        void *block = allocate(64);
        trap(sized_free);
        release_sized(block, 64);
        trap(0);
    }
    for (uint64_t i = 0; i < calls; i++) {
        trap(zeroed);
        void *block = allocate_zeroed(1, 64);
        trap(0);
        release(block);
    }
    for (uint64_t i = 0; i < calls; i++) {
        void *block = allocate(60);
        trap(grown);
        block = reallocate(block, 64);
        trap(0);
        release(block);
    }
    for (uint64_t i = 0; i < run; i++) blocks[i] = stepped_malloc(run_malloc, 64);
    for (uint64_t i = 0; i < run; i++) stepped_free(run_free, blocks[i]);
    for (uint64_t i = 0; i < run; i++) blocks[i] = allocate(random_between(&source, 16, 1024));
    for (uint64_t i = 0; i < calls * 4; i++) {
        uint64_t at = random_below(&source, run);
        stepped_free(random_free, blocks[at]);
        blocks[at] = stepped_malloc(random_malloc, random_between(&source, 16, 1024));
    }
    for (uint64_t i = 0; i < calls / 8; i++) stepped_free(large_free, stepped_malloc(large_malloc, 1 << 20));
}
