/// The shadow-model stress: threads allocate, reallocate, free and pass blocks to each other, and
/// every block is checked against a model of its own. Ends with 0 only if no block was lost,
/// duplicated, overlapping or misaligned.
///
///   stress [--threads N] [--operations TOTAL] [--seed N] [--sizes tiny|mixed|large] [--limit
///   SECONDS]
///          [--forks N]      each thread forks after every N operations of its own
///          [--signals US]   a timer per thread whose handler allocates and frees, every US microseconds
///          [--storm US]     a side thread signals the threads in turn with the same handler, every US microseconds
///          [--affinity N]   each thread moves to a random CPU after every N operations
///          [--trim US]      a side thread gives free memory back every US microseconds
#include "block.h"
#include "trim.h"

enum { most_threads = 64, exchange_slots = 1024, handler_slots = 16, handler_owner = 1000, child_owner = 2000 };

struct worker {
    struct owner owner, handler_owner;
    struct block **slots, *handler_blocks[handler_slots];
    pthread_t thread;
    bool in_child;
};

static uint64_t threads = 8, operations = 2000000, seed = 1, forks, signal_period, storm_period, affinity, trim_period,
                limit = 110, slots_per_thread;
static enum size_distribution sizes = sizes_mixed;

/// Blocks on their way from one thread to another. A slot always holds a node; a node may be
/// without a block.
static _Atomic(struct block *) exchange[exchange_slots];
static struct worker workers[most_threads];
static struct processors processors;
static atomic_bool finished;
static atomic_int running;
static _Atomic uint64_t handled, trims;
static __thread struct worker *self;

/// Gives away what is in `slot` and takes what another thread left.
static void swap_slot(struct block **slot, struct owner *owner) {
    uint64_t used = sizes == sizes_large ? 16 : exchange_slots;
    *slot = atomic_exchange(&exchange[random_below(&owner->random, used)], *slot);
}

static void operate(struct block **slot, struct owner *owner) {
    struct block *block = *slot;
    if (block->start == NULL) {
        block_allocate(block, owner);
        return;
    }
    uint64_t draw = random_below(&owner->random, 100);
    if (draw < 40) {
        block_free(block, owner);
    } else if (draw < 60) {
        block_reallocate(block, owner);
    } else if (draw < 90) {
        swap_slot(slot, owner);
    } else {
        block_verify(block, block->start, block->usable);
    }
}

/// The handler works on blocks of its own, except that it too swaps with the other threads.
static void handle(int number) {
    (void)number;
    struct worker *worker = self;
    if (worker == NULL || worker->in_child) return;
    int saved = errno;
    for (int i = 0; i < 4; i++)
        operate(&worker->handler_blocks[random_below(&worker->handler_owner.random, handler_slots)],
            &worker->handler_owner);
    atomic_fetch_add_explicit(&handled, 1, memory_order_relaxed);
    errno = saved;
}

static void free_all(struct worker *worker) {
    for (uint64_t i = 0; i < slots_per_thread; i++)
        if (worker->slots[i]->start != NULL) block_free(worker->slots[i], &worker->owner);
    for (int i = 0; i < handler_slots; i++)
        if (worker->handler_blocks[i]->start != NULL) block_free(worker->handler_blocks[i], &worker->handler_owner);
}

static void fork_and_check(struct worker *worker, int depth);

/// The child has one thread and the parent's blocks: it goes on with those of its thread and of the
/// exchange.
__attribute__((noreturn)) static void child_main(struct worker *worker, int depth) {
    watch("a fork child of the stress", 60);
    worker->in_child = true;
    worker->owner.number = child_owner + worker->owner.number % 1000;
    worker->owner.random.state ^= (uint64_t)depth << 32;
    for (int i = 0; i < 300; i++)
        operate(&worker->slots[random_below(&worker->owner.random, slots_per_thread)], &worker->owner);
    if (depth < 2 && random_below(&worker->owner.random, 4) == 0) fork_and_check(worker, depth + 1);
    for (int i = 0; i < exchange_slots; i++)
        if (exchange[i]->start != NULL) block_free(exchange[i], &worker->owner);
    free_all(worker);
    _exit(0);
}

static void fork_and_check(struct worker *worker, int depth) {
    pid_t child = fork();
    if (child == 0) child_main(worker, depth);
    CHECK(child > 0);
    expect_success(child, "a fork child of the stress");
}

static timer_t start_timer(void) {
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    timer_t timer;
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    struct timespec period = {0, (long)signal_period * 1000};
    struct itimerspec setting = {period, period};
    CHECK(timer_settime(timer, 0, &setting, NULL) == 0);
    return timer;
}

static void *work(void *argument) {
    struct worker *worker = argument;
    self = worker;
    timer_t timer = NULL;
    if (signal_period > 0) timer = start_timer();
    uint64_t share = operations / threads;
    for (uint64_t i = 1; i <= share; i++) {
        operate(&worker->slots[random_below(&worker->owner.random, slots_per_thread)], &worker->owner);
        if (forks > 0 && i % forks == 0) fork_and_check(worker, 1);
        if (affinity > 0 && i % affinity == 0)
            run_on(processors.number[random_below(&worker->owner.random, (uint64_t)processors.count)]);
    }
    if (signal_period > 0) CHECK(timer_delete(timer) == 0);
    atomic_fetch_sub(&running, 1);
    // Storm signals still arrive: the thread must exist until the storm is over.
    while (storm_period > 0 && !atomic_load(&finished)) pause_microseconds(1000);
    self = NULL;
    return NULL;
}

static void *trim(void *argument) {
    (void)argument;
    for (; !atomic_load(&finished); pause_microseconds(trim_period)) {
        trim_now();
        atomic_fetch_add(&trims, 1);
    }
    return NULL;
}

static void *storm(void *argument) {
    (void)argument;
    for (uint64_t i = 0; atomic_load(&running) > 0; i++, pause_microseconds(storm_period))
        CHECK_ZERO(pthread_kill(workers[i % threads].thread, SIGUSR1));
    return NULL;
}

static void prepare_worker(struct worker *worker, uint32_t number) {
    worker->slots = map_zeroed(slots_per_thread * sizeof(struct block *), false);
    struct block *free_nodes = map_zeroed((slots_per_thread + handler_slots) * sizeof(struct block), false);
    worker->owner = (struct owner){.random = {seed * 1000003 + number}, .number = number, .sizes = sizes};
    worker->handler_owner = worker->owner;
    worker->handler_owner.random.state ^= 0x5DEECE66Dull;
    worker->handler_owner.number = handler_owner + number;
    for (uint64_t i = 0; i < slots_per_thread; i++) worker->slots[i] = free_nodes + i;
    for (int i = 0; i < handler_slots; i++) worker->handler_blocks[i] = free_nodes + slots_per_thread + i;
}

static void read_arguments(int count, char **texts) {
    for (int i = 1; i < count; i += 2) {
        const char *name = texts[i], *text = i + 1 < count ? texts[i + 1] : "";
        if (strcmp(name, "--sizes") == 0) {
            const char *known[] = {"tiny", "mixed", "large"};
            int which = 0;
            while (which < 3 && strcmp(text, known[which]) != 0) which++;
            if (which == 3) fail("unknown sizes: %s", text);
            sizes = (enum size_distribution)which;
            continue;
        }
        struct { const char *name; uint64_t *value; } known[] = {
            {"--threads", &threads}, {"--operations", &operations}, {"--seed", &seed}, {"--forks", &forks},
            {"--signals", &signal_period}, {"--storm", &storm_period}, {"--affinity", &affinity},
            {"--trim", &trim_period}, {"--limit", &limit},
        };
        size_t which = 0, all = sizeof known / sizeof *known;
        while (which < all && strcmp(name, known[which].name) != 0) which++;
        if (which == all) fail("unknown argument: %s", name);
        *known[which].value = number_argument(text);
    }
    if (threads < 1 || threads > most_threads) fail("threads: 1 to %d", most_threads);
}

int main(int count, char **texts) {
    read_arguments(count, texts);
    watch("the stress", (unsigned)limit);
    processors_read(&processors);
    shadow_open();
    slots_per_thread = sizes == sizes_large ? 8 : threads >= 32 ? 128 : 4096 / threads;
    struct block *exchanged = map_zeroed(exchange_slots * sizeof(struct block), false);
    for (int i = 0; i < exchange_slots; i++) exchange[i] = exchanged + i;
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);

    atomic_store(&running, (int)threads);
    for (uint32_t i = 0; i < threads; i++) prepare_worker(&workers[i], i);
    for (uint32_t i = 0; i < threads; i++) CHECK_ZERO(pthread_create(&workers[i].thread, NULL, work, &workers[i]));
    pthread_t trimmer, stormer;
    if (trim_period > 0) CHECK_ZERO(pthread_create(&trimmer, NULL, trim, NULL));
    if (storm_period > 0) CHECK_ZERO(pthread_create(&stormer, NULL, storm, NULL));
    if (storm_period > 0) CHECK_ZERO(pthread_join(stormer, NULL));
    if (storm_period > 0) atomic_store(&finished, true);
    for (uint32_t i = 0; i < threads; i++) CHECK_ZERO(pthread_join(workers[i].thread, NULL));
    atomic_store(&finished, true);
    if (trim_period > 0) CHECK_ZERO(pthread_join(trimmer, NULL));

    uint64_t allocated = 0, freed = 0;
    for (int i = 0; i < exchange_slots; i++)
        if (exchange[i]->start != NULL) block_free(exchange[i], &workers[0].owner);
    for (uint32_t i = 0; i < threads; i++) free_all(&workers[i]);
    for (uint32_t i = 0; i < threads; i++) {
        allocated += workers[i].owner.allocated + workers[i].handler_owner.allocated;
        freed += workers[i].owner.freed + workers[i].handler_owner.freed;
    }
    if (allocated != freed)
        fail("%llu allocated, %llu freed", (unsigned long long)allocated, (unsigned long long)freed);
    if (signal_period + storm_period > 0 && handled == 0) fail("no signal was handled");
    if (trim_period > 0 && trims == 0) fail("never trimmed");
    printf("stress: seed %llu, %llu threads, %llu operations: every block accounted for\n", (unsigned long long)seed,
        (unsigned long long)threads, (unsigned long long)(operations / threads * threads));
    fprintf(stderr, "allocated %llu, signals %llu, trims %llu\n", (unsigned long long)allocated,
        (unsigned long long)handled, (unsigned long long)trims);
    return 0;
}
