/// Counting scopes of the loaded heap, exact whatever the process does meanwhile.
///
///   counting threads|fork|fork-elsewhere|signals
///
/// `threads`: many threads allocate, resize and free at once. `fork`: a child goes on with its own
/// copy of the scope while other threads allocate. `fork-elsewhere`: the scope is of a thread that
/// does not fork, and its memory need not exist in the child. `signals`: handlers allocate and
/// free, also where they interrupt the counting itself.
#include "check.h"

#include <dlfcn.h>
#include <limits.h>
#include <malloc.h>
#include <sys/time.h>

#include <percolate/heap_interface.h>

enum { thread_count = 8, rounds = 20000, forks = 40, signal_seconds = 2 };

/// Operations of each thread; without an end where the threads are stopped.
static int operations = rounds;

static const struct percolate_heap_interface *heap;
static struct percolate_counting_scope scope;

/// What one thread, or one handler, did.
struct tally {
    uint64_t allocations, deallocations, allocated_bytes, deallocated_bytes;
};

static void *counted_malloc(struct tally *tally, size_t size) {
    void *block = malloc(size);
    CHECK(block != NULL);
    tally->allocations++;
    tally->allocated_bytes += malloc_usable_size(block);
    return block;
}

static void counted_free(struct tally *tally, void *block) {
    tally->deallocations++;
    tally->deallocated_bytes += malloc_usable_size(block);
    free(block);
}

static void expect(struct percolate_counting_scope *counted, struct tally *tally) {
    if (counted->allocations == tally->allocations && counted->deallocations == tally->deallocations &&
        counted->allocated_bytes == tally->allocated_bytes && counted->deallocated_bytes == tally->deallocated_bytes)
        return;
    fail("counted %lu allocations of %lu bytes, %lu deallocations of %lu; were %lu of %lu, %lu of %lu",
         counted->allocations, counted->allocated_bytes, counted->deallocations, counted->deallocated_bytes,
         tally->allocations, tally->allocated_bytes, tally->deallocations, tally->deallocated_bytes);
}

/// Threads that are made before the scope and end after it, because a thread's start and end
/// allocate too.
static pthread_barrier_t before, after;
static atomic_bool stopping;

struct worker {
    pthread_t handle;
    struct random random;
    struct tally tally;
};

static struct worker workers[thread_count];

static void operate(struct worker *worker, void **blocks, int count) {
    uint64_t at = random_below(&worker->random, (uint64_t)count);
    if (blocks[at] != NULL) counted_free(&worker->tally, blocks[at]);
    uint64_t bound = random_below(&worker->random, 64) == 0 ? 200000 : 900;
    blocks[at] = counted_malloc(&worker->tally, random_below(&worker->random, bound));
}

static void *work(void *argument) {
    struct worker *worker = argument;
    void *blocks[100] = {NULL};
    pthread_barrier_wait(&before);
    for (int round = 0; round < operations && !stopping; round++) operate(worker, blocks, 100);
    for (int i = 0; i < 100; i++)
        if (blocks[i] != NULL) counted_free(&worker->tally, blocks[i]);
    pthread_barrier_wait(&after);
    pthread_barrier_wait(&after);
    return NULL;
}

static void start_workers(void) {
    CHECK_ZERO(pthread_barrier_init(&before, NULL, thread_count + 1));
    CHECK_ZERO(pthread_barrier_init(&after, NULL, thread_count + 1));
    for (int i = 0; i < thread_count; i++) {
        workers[i].random.state = (uint64_t)i + 1;
        CHECK_ZERO(pthread_create(&workers[i].handle, NULL, work, &workers[i]));
    }
}

static void add_workers(struct tally *sum) {
    for (int i = 0; i < thread_count; i++) {
        sum->allocations += workers[i].tally.allocations;
        sum->deallocations += workers[i].tally.deallocations;
        sum->allocated_bytes += workers[i].tally.allocated_bytes;
        sum->deallocated_bytes += workers[i].tally.deallocated_bytes;
    }
}

static void count_threads(void) {
    start_workers();
    heap->begin_counting(&scope);
    pthread_barrier_wait(&before);
    pthread_barrier_wait(&after);
    heap->end_counting(&scope);
    pthread_barrier_wait(&after);
    for (int i = 0; i < thread_count; i++) CHECK_ZERO(pthread_join(workers[i].handle, NULL));
    struct tally sum = {0};
    add_workers(&sum);
    CHECK(sum.allocations == (uint64_t)thread_count * rounds && sum.allocations == sum.deallocations);
    expect(&scope, &sum);
    CHECK(scope.peak_bytes > 0 && scope.peak_bytes <= sum.allocated_bytes);
}

/// The child of a fork in the middle of the scope: its own copy says what was before, and what it
/// does itself.
static void child(uint64_t known_allocations) {
    uint64_t floor = scope.allocations;
    struct tally tally = {0};
    struct percolate_counting_scope inner;
    heap->begin_counting(&inner);
    void *blocks[50];
    for (int i = 0; i < 50; i++) blocks[i] = counted_malloc(&tally, (size_t)i * 100);
    for (int i = 0; i < 50; i++) counted_free(&tally, blocks[i]);
    heap->end_counting(&inner);
    expect(&inner, &tally);
    heap->end_counting(&scope);
    CHECK(floor >= known_allocations && scope.allocations == floor + 50);
    _exit(0);
}

static void count_across_fork(void) {
    struct tally sum = {0};
    operations = INT_MAX;
    start_workers();
    heap->begin_counting(&scope);
    pthread_barrier_wait(&before);
    for (int i = 0; i < forks; i++) {
        for (int j = 0; j < 10; j++) counted_free(&sum, counted_malloc(&sum, 300));
        pid_t process = fork();
        CHECK(process >= 0);
        if (process == 0) child(sum.allocations);
        int status;
        CHECK(waitpid(process, &status, 0) == process && status == 0);
    }
    stopping = true;
    pthread_barrier_wait(&after);
    heap->end_counting(&scope);
    pthread_barrier_wait(&after);
    for (int i = 0; i < thread_count; i++) CHECK_ZERO(pthread_join(workers[i].handle, NULL));
    add_workers(&sum);
    expect(&scope, &sum);
}

static void *begin_elsewhere(void *scope) {
    heap->begin_counting(scope);
    pthread_barrier_wait(&before);
    pthread_barrier_wait(&after);
    heap->end_counting(scope);
    return NULL;
}

static void count_elsewhere_across_fork(void) {
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    struct percolate_counting_scope *other = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(other != MAP_FAILED);
    CHECK_ZERO(pthread_barrier_init(&before, NULL, 2));
    CHECK_ZERO(pthread_barrier_init(&after, NULL, 2));
    pthread_t thread;
    CHECK_ZERO(pthread_create(&thread, NULL, begin_elsewhere, other));
    pthread_barrier_wait(&before);
    heap->begin_counting(&scope);
    struct tally sum = {0};
    for (int i = 0; i < forks; i++) {
        for (int j = 0; j < 500; j++) counted_free(&sum, counted_malloc(&sum, 300));
        pid_t process = fork();
        CHECK(process >= 0);
        if (process == 0) {
            CHECK(munmap(other, size) == 0);
            child(sum.allocations);
        }
        expect_success(process, "a child without the other thread's scope");
    }
    heap->end_counting(&scope);
    expect(&scope, &sum);
    CHECK(other->allocations >= sum.allocations);
    pthread_barrier_wait(&after);
    CHECK_ZERO(pthread_join(thread, NULL));
}

static struct tally handled;

static void handle(int number) {
    (void)number;
    int saved = errno;
    void *first = counted_malloc(&handled, 40), *second = counted_malloc(&handled, 3000);
    counted_free(&handled, first);
    counted_free(&handled, second);
    errno = saved;
}

static void count_in_signals(void) {
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    struct worker own = {.random = {7}};
    void *blocks[100] = {NULL};
    heap->begin_counting(&scope);
    struct itimerval every = {{0, 50}, {0, 50}}, never = {{0, 0}, {0, 0}};
    CHECK(setitimer(ITIMER_REAL, &every, NULL) == 0);
    uint64_t end = now_nanoseconds() + signal_seconds * 1000000000ull;
    while (now_nanoseconds() < end)
        for (int i = 0; i < 100; i++) operate(&own, blocks, 100);
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
    sigset_t alarm;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    CHECK_ZERO(pthread_sigmask(SIG_BLOCK, &alarm, NULL));
    for (int i = 0; i < 100; i++)
        if (blocks[i] != NULL) counted_free(&own.tally, blocks[i]);
    heap->end_counting(&scope);
    CHECK(handled.allocations > 1000);
    struct tally sum = own.tally;
    sum.allocations += handled.allocations;
    sum.deallocations += handled.deallocations;
    sum.allocated_bytes += handled.allocated_bytes;
    sum.deallocated_bytes += handled.deallocated_bytes;
    expect(&scope, &sum);
}

int main(int count, char **arguments) {
    CHECK(count == 2);
    heap = dlsym(RTLD_DEFAULT, "percolate_heap_interface");
    CHECK(heap != NULL && heap->version == PERCOLATE_HEAP_INTERFACE_VERSION);
    free(malloc(1));
    if (strcmp(arguments[1], "threads") == 0)
        count_threads();
    else if (strcmp(arguments[1], "fork") == 0)
        count_across_fork();
    else if (strcmp(arguments[1], "fork-elsewhere") == 0)
        count_elsewhere_across_fork();
    else if (strcmp(arguments[1], "signals") == 0)
        count_in_signals();
    else
        fail("counting: unknown: %s", arguments[1]);
    printf("counting: %lu allocations\n", scope.allocations);
}
