/// Signal handlers that leave by a jump, mostly out of malloc or free. What the interrupted call
/// had in hand may be lost, but every block that the program holds stays whole and its own, and no
/// thread stops: neither the one that jumped, nor others beside it.
///
///   jump JUMPS [plain|deep|alternate|nested|exit [JUMPING-THREADS [THREADS-BESIDE]]]
///
/// `plain`: back to where the call came from. `deep`: the next calls come from further down the
/// stack. `alternate`: the handler runs on an alternate stack, which lies above the thread's.
/// `nested`: the handler allocates before it jumps. `exit`: the handler ends its thread.
#include "check.h"

#include <setjmp.h>

enum { slots = 64, most_threads = 16, most_sizes = 700, large_size = 100000, alternate_size = 65536 };

enum kind { plain, deep, alternate, nested, ending };
static enum kind kind;
static uint64_t jumps_per_thread, longest_gap_milliseconds = 5000;
static atomic_bool finished;

struct block {
    size_t size;
    uint64_t number;
};

struct worker {
    struct random random;
    struct block *volatile blocks[slots];
    timer_t timer;
    volatile sig_atomic_t is_armed;
    sigjmp_buf before;
    volatile uint64_t jumps;
    void *alternate_stack;
};

static _Thread_local struct worker *self;

static unsigned char expected_byte(const struct block *block) { return (unsigned char)(block->number * 37 + block->size); }

static struct block *make_block(struct random *random) {
    size_t size = sizeof(struct block) + random_below(random, random_below(random, 16) == 0 ? large_size : most_sizes);
    struct block *block = malloc(size);
    CHECK(block != NULL);
    block->size = size;
    block->number = random_next(random);
    memset(block + 1, expected_byte(block), size - sizeof *block);
    return block;
}

static void check_block(const struct block *block) {
    const unsigned char *bytes = (const unsigned char *)(block + 1);
    size_t count = block->size - sizeof *block;
    CHECK(count <= large_size);
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != expected_byte(block)) fail("a block of %zu bytes has changed at %zu", block->size, i);
}

static void operate(struct worker *worker) {
    struct block *volatile *slot = &worker->blocks[random_below(&worker->random, slots)];
    struct block *old = *slot;
    *slot = NULL;
    if (old != NULL) {
        check_block(old);
        free(old);
    }
    *slot = make_block(&worker->random);
}

/// As `operate`, from far down the stack, under a frame of which only the ends are written.
__attribute__((noinline)) static void operate_deeply(struct worker *worker) {
    volatile char gap[6000];
    gap[0] = gap[sizeof gap - 1] = 1;
    operate(worker);
}

static void handle(int number) {
    (void)number;
    struct worker *worker = self;
    if (worker == NULL || !worker->is_armed) return;
    worker->is_armed = 0;
    if (kind == nested) {
        void *volatile block = malloc(300);
        void *volatile large = malloc(50000);
        CHECK(block != NULL && large != NULL);
        free(block);
        free(large);
    }
    if (kind == ending) pthread_exit(NULL);
    siglongjmp(worker->before, 1);
}

static void arm(struct worker *worker) {
    struct itimerspec soon = {.it_value = {0, 20000 + (long)random_below(&worker->random, 100000)}};
    worker->is_armed = 1;
    CHECK(timer_settime(worker->timer, 0, &soon, NULL) == 0);
}

static void prepare(struct worker *worker) {
    self = worker;
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &worker->timer) == 0);
    if (kind != alternate) return;
    stack_t stack = {.ss_sp = worker->alternate_stack, .ss_size = alternate_size};
    CHECK(sigaltstack(&stack, NULL) == 0);
}

static void *jump_often(void *argument) {
    struct worker *worker = argument;
    prepare(worker);
    sigsetjmp(worker->before, 1);
    while (worker->jumps++ < jumps_per_thread) {
        arm(worker);
        while (worker->is_armed)
            if (kind == deep) operate_deeply(worker); else operate(worker);
    }
    worker->is_armed = 0;
    CHECK(timer_delete(worker->timer) == 0);
    for (int i = 0; i < 100000; i++) operate(worker);
    self = NULL;
    return NULL;
}

/// One thread after the other, each of which ends in a handler.
static void *end_often(void *argument) {
    struct worker *worker = argument;
    prepare(worker);
    arm(worker);
    for (;;) operate(worker);
}

static void end_threads(struct worker *worker) {
    for (uint64_t i = 0; i < jumps_per_thread; i++) {
        pthread_t thread;
        CHECK_ZERO(pthread_create(&thread, NULL, end_often, worker));
        CHECK_ZERO(pthread_join(thread, NULL));
        CHECK(timer_delete(worker->timer) == 0);
    }
}

static void *operate_beside(void *argument) {
    struct worker *worker = argument;
    uint64_t last = now_nanoseconds();
    while (!atomic_load_explicit(&finished, memory_order_relaxed)) {
        for (int i = 0; i < 20; i++) operate(worker);
        uint64_t now = now_nanoseconds();
        if (now - last > longest_gap_milliseconds * 1000000) fail("a thread beside stood still");
        last = now;
    }
    return NULL;
}

int main(int count, char **texts) {
    jumps_per_thread = count > 1 ? number_argument(texts[1]) : 5000;
    const char *names[] = {"plain", "deep", "alternate", "nested", "exit"};
    const char *name = count > 2 ? texts[2] : "plain";
    for (kind = plain; kind <= ending && strcmp(name, names[kind]) != 0;) kind++;
    if (kind > ending) fail("unknown kind: %s", name);
    uint64_t jumping = count > 3 ? number_argument(texts[3]) : 2, beside = count > 4 ? number_argument(texts[4]) : 2;
    CHECK(jumping >= 1 && jumping + beside <= most_threads);
    watch("jumps out of malloc", 100 + (unsigned)(jumps_per_thread / 500));
    struct sigaction action = {.sa_handler = handle, .sa_flags = kind == alternate ? SA_ONSTACK : 0};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);

    struct worker *workers = map_zeroed(most_threads * sizeof *workers, false);
    char *alternate_stacks = map_zeroed(most_threads * alternate_size, false);
    pthread_t threads[most_threads];
    for (uint64_t i = 0; i < jumping + beside; i++) {
        workers[i].random.state = i + 1;
        workers[i].alternate_stack = alternate_stacks + i * alternate_size;
        if (kind == ending && i < jumping) continue;
        CHECK_ZERO(pthread_create(&threads[i], NULL, i < jumping ? jump_often : operate_beside, &workers[i]));
    }
    for (uint64_t i = 0; i < jumping; i++) {
        if (kind == ending) end_threads(&workers[i]); else CHECK_ZERO(pthread_join(threads[i], NULL));
    }
    atomic_store(&finished, true);
    for (uint64_t i = jumping; i < jumping + beside; i++) CHECK_ZERO(pthread_join(threads[i], NULL));

    // Everything that is held is whole, and goes back.
    for (uint64_t i = 0; i < jumping + beside; i++) {
        for (int slot = 0; slot < slots; slot++) {
            if (workers[i].blocks[slot] == NULL) continue;
            check_block(workers[i].blocks[slot]);
            free(workers[i].blocks[slot]);
        }
    }
    // A fork waits for nobody who will not come.
    pid_t child = fork();
    if (child == 0) {
        watch("a child after jumps", 20);
        struct random random = {1};
        for (int i = 0; i < 2000; i++) free(make_block(&random));
        _exit(0);
    }
    expect_success(child, "a child after jumps");
    printf("jump: %s, %llu jumps\n", name, (unsigned long long)(jumps_per_thread * jumping));
    return 0;
}
