/// Signal handlers that allocate, reallocate and free, against a thread that does the same: the
/// handler may interrupt any instruction of malloc and free, also while they hold a lock. Blocks
/// pass between the two in both directions.
///
///   signals small|large|refill|first [SECONDS [PERIOD-MICROSECONDS]]
///
/// `small`: the fast path and the caches. `large`: page level and mremap. `refill`: bursts of one
/// class, so that most signals arrive in refills and drains. `first`: processes of their own, whose
/// very first calls are interrupted.
#include "block.h"

#include <sys/time.h>

enum { slots = 512, shared_slots = 64, handler_slots = 32, burst = 400 };

static struct owner main_owner = {.number = 1, .random = {1}}, handler_owner = {.number = 2, .random = {2}};
static struct block main_blocks[slots], handler_blocks[handler_slots], nodes[shared_slots];
static _Atomic(struct block *) shared[shared_slots];
static volatile sig_atomic_t in_handler;
static _Atomic uint64_t handled;

static void operate(struct block *block, struct owner *owner) {
    if (block->start == NULL) {
        block_allocate(block, owner);
    } else if (random_below(&owner->random, 3) == 0) {
        block_reallocate(block, owner);
    } else {
        block_free(block, owner);
    }
}

/// Takes a node away for the time of the operation; a slot without node is in use by the one that
/// was interrupted.
static void operate_shared(struct owner *owner) {
    uint64_t index = random_below(&owner->random, shared_slots);
    struct block *block = atomic_exchange(&shared[index], NULL);
    if (block == NULL) return;
    operate(block, owner);
    atomic_store(&shared[index], block);
}

static void handle(int number) {
    (void)number;
    int saved = errno;
    // Two signals may nest; the owner's state belongs to the outer one.
    if (in_handler) {
        void *block = malloc(100);
        CHECK(block != NULL);
        free(block);
    } else {
        in_handler = 1;
        for (int i = 0; i < 3; i++)
            operate(&handler_blocks[random_below(&handler_owner.random, handler_slots)], &handler_owner);
        operate_shared(&handler_owner);
        in_handler = 0;
    }
    atomic_fetch_add(&handled, 1);
    errno = saved;
}

static void start_signals(int number, int timer, long period) {
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    CHECK(sigaction(number, &action, NULL) == 0);
    if (timer >= 0) {
        struct itimerval interval = {{0, period}, {0, period}};
        CHECK(setitimer((__itimer_which_t)timer, &interval, NULL) == 0);
        return;
    }
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = number};
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    timer_t created;
    struct timespec every = {0, period * 1000};
    struct itimerspec setting = {every, every};
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &created) == 0);
    CHECK(timer_settime(created, 0, &setting, NULL) == 0);
}

/// Many blocks of one size at once, then their frees: nearly every operation is at the end of a
/// cache.
static void burst_of_one_size(void) {
    static void *blocks[burst];
    size_t size = 16 + random_below(&main_owner.random, 40) * 48;
    for (int i = 0; i < burst; i++) {
        blocks[i] = malloc(size);
        CHECK(blocks[i] != NULL);
        memset(blocks[i], i, size);
    }
    for (int i = 0; i < burst; i++) {
        for (size_t j = 0; j < size; j++) CHECK(((unsigned char *)blocks[i])[j] == (i & 255));
        free(blocks[i]);
    }
}

/// A process that allocated nothing yet, and is interrupted from its first call on.
static void first_calls(long period) {
    in_handler = 1;
    start_signals(SIGUSR1, -1, period);
    for (int i = 0; i < 2000; i++) {
        void *block = malloc((size_t)i * 40);
        CHECK(block != NULL);
        free(block);
    }
    _exit(handled > 0 ? 0 : 1);
}

static void fork_first_calls(uint64_t seconds, long period) {
    for (uint64_t end = now_nanoseconds() + seconds * 1000000000u; now_nanoseconds() < end;) {
        pid_t child = fork();
        if (child == 0) first_calls(period);
        CHECK(child > 0);
        expect_success(child, "a process whose first calls are interrupted");
    }
}

int main(int count, char **texts) {
    if (count < 2) fail("signals small|large|refill|first [SECONDS [PERIOD-MICROSECONDS]]");
    bool refill = strcmp(texts[1], "refill") == 0, large = strcmp(texts[1], "large") == 0;
    bool first = strcmp(texts[1], "first") == 0;
    if (!refill && !large && !first && strcmp(texts[1], "small") != 0) fail("unknown kind: %s", texts[1]);
    uint64_t seconds = count > 2 ? number_argument(texts[2]) : 3;
    long period = count > 3 ? (long)number_argument(texts[3]) : 50;
    watch("a storm of signals", (unsigned)seconds + 60);
    if (first) {
        fork_first_calls(seconds, period);
        printf("signals: first, every call was served\n");
        return 0;
    }
    free(malloc(1));
    shadow_open();
    main_owner.sizes = large ? sizes_large : sizes_tiny;
    handler_owner.sizes = large ? sizes_mixed : sizes_tiny;
    for (int i = 0; i < shared_slots; i++) shared[i] = &nodes[i];
    start_signals(SIGUSR1, -1, period);
    start_signals(SIGVTALRM, ITIMER_VIRTUAL, 3000);
    uint64_t end = now_nanoseconds() + seconds * 1000000000u, operations = 0;
    for (; now_nanoseconds() < end; operations++) {
        if (refill) {
            burst_of_one_size();
            continue;
        }
        for (int i = 0; i < (large ? 4 : 200); i++)
            operate(&main_blocks[random_below(&main_owner.random, large ? 16 : slots)], &main_owner);
        operate_shared(&main_owner);
    }
    uint64_t least = seconds * 1000000 / (uint64_t)period / 100;
    if (handled < least) fail("only %llu signals came", (unsigned long long)handled);
    printf("signals: %s, every block accounted for\n", texts[1]);
    fprintf(stderr, "%llu signals, %llu turns\n", (unsigned long long)handled, (unsigned long long)operations);
    return 0;
}
