/// Bad style, and real: a vfork child allocates and frees before it execs, while other threads of
/// the parent run. The child uses the parent's memory and thread area but is a task of its own,
/// which may run on another CPU than the parent's thread area says; it is moved there on purpose.
/// Every block is checked, so that two CPUs in one cache, or a block handed out twice, is seen.
///
///   vfork_exec [CHILDREN-PER-THREAD [FORKING-THREADS]]
#include "block.h"

enum { most_threads = 16, slots = 256, background_threads = 3 };

struct worker {
    struct owner owner;
    struct block blocks[slots];
    pthread_t thread;
};

static struct worker workers[most_threads];
static struct processors processors;
static atomic_bool finished;
static uint64_t children = 600, forking = 2;

static void operate(struct worker *worker, int count) {
    for (int i = 0; i < count; i++) {
        struct block *block = &worker->blocks[random_below(&worker->owner.random, slots)];
        if (block->start == NULL) {
            block_allocate(block, &worker->owner);
        } else if (random_below(&worker->owner.random, 3) == 0) {
            block_reallocate(block, &worker->owner);
        } else {
            block_free(block, &worker->owner);
        }
    }
}

/// What the vfork child does. Not inlined: its locals must not share the frame that the parent
/// returns to.
__attribute__((noinline)) static void in_vfork_child(struct worker *worker, uint64_t turn) {
    uint64_t cpus = (uint64_t)processors.count;
    if (turn % 4 != 3) run_on(processors.number[random_below(&worker->owner.random, cpus)]);
    operate(worker, 60);
    if (turn % 4 == 2) run_on(processors.number[random_below(&worker->owner.random, cpus)]);
    operate(worker, 60);
    for (size_t size = 16; size < 500000; size *= 3) free(calloc(1, size));
}

static char *const arguments[] = {"true", NULL};
static char *const no_environment[] = {NULL};

static void vfork_once(struct worker *worker, uint64_t turn) {
    pid_t child = vfork();
    if (child == 0) {
        in_vfork_child(worker, turn);
        if (turn % 8 == 0) execv("/bin/true", arguments);
        if (turn % 8 == 1) execve("/bin/true", arguments, no_environment);
        if (turn % 8 == 2) execv("/no/such/program", arguments);
        _exit(turn % 8 < 2 ? 9 : 0);
    }
    CHECK(child > 0);
    expect_success(child, "a vfork child");
    operate(worker, 100);
}

static void free_all(struct worker *worker) {
    for (int i = 0; i < slots; i++)
        if (worker->blocks[i].start != NULL) block_free(&worker->blocks[i], &worker->owner);
}

static void *work(void *argument) {
    struct worker *worker = argument;
    if ((uint64_t)(worker - workers) < forking) {
        for (uint64_t i = 0; i < children; i++) vfork_once(worker, i);
    } else {
        while (!atomic_load(&finished)) operate(worker, 100);
    }
    free_all(worker);
    return NULL;
}

int main(int count, char **texts) {
    if (count > 1) children = number_argument(texts[1]);
    if (count > 2) forking = number_argument(texts[2]);
    CHECK(forking >= 1 && forking + background_threads <= most_threads);
    watch("vfork children that allocate", 110);
    processors_read(&processors);
    shadow_open();
    uint64_t all = forking + background_threads;
    for (uint64_t i = 0; i < all; i++) {
        workers[i].owner = (struct owner){.random = {i + 1}, .number = (uint32_t)i, .sizes = sizes_mixed};
        CHECK_ZERO(pthread_create(&workers[i].thread, NULL, work, &workers[i]));
    }
    for (uint64_t i = 0; i < forking; i++) CHECK_ZERO(pthread_join(workers[i].thread, NULL));
    atomic_store(&finished, true);
    for (uint64_t i = forking; i < all; i++) CHECK_ZERO(pthread_join(workers[i].thread, NULL));
    printf("vfork_exec: %llu children of %llu threads\n", (unsigned long long)(children * forking),
        (unsigned long long)forking);
    return 0;
}
