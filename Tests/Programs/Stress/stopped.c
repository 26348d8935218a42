/// A tracer stops one thread of a process at random points, as a debugger or a tracing profiler
/// does, lets the others go on, and resumes it. Nothing may be lost, nobody may hang, and the
/// others must get on meanwhile most times: a thread that is stopped in malloc holds up the process
/// only where it happens to hold a lock.
///
///   stopped [STOPS]
#include "block.h"

#include <sys/ptrace.h>

enum { threads = 4, slots = 256, pause_while_stopped = 2000 };

struct shared {
    _Atomic uint64_t progress[threads];
    _Atomic pid_t tasks[threads];
    atomic_bool finished;
};

static struct shared *shared;
static _Atomic(struct block *) exchange[64];
static struct block exchanged[64];

static void *work(void *argument) {
    uint64_t number = (uint64_t)(uintptr_t)argument;
    struct owner owner = {.random = {number + 1}, .number = (uint32_t)number};
    owner.sizes = number % 2 ? sizes_tiny : sizes_mixed;
    struct block *nodes = map_zeroed(slots * sizeof *nodes, false), *table[slots];
    for (int i = 0; i < slots; i++) table[i] = &nodes[i];
    atomic_store(&shared->tasks[number], (pid_t)syscall(SYS_gettid));
    while (!atomic_load(&shared->finished)) {
        struct block **slot = &table[random_below(&owner.random, slots)];
        if ((*slot)->start == NULL) {
            block_allocate(*slot, &owner);
        } else if (random_below(&owner.random, 3) == 0) {
            *slot = atomic_exchange(&exchange[random_below(&owner.random, 64)], *slot);
        } else {
            block_free(*slot, &owner);
        }
        atomic_fetch_add(&shared->progress[number], 1);
    }
    for (int i = 0; i < slots; i++)
        if (table[i]->start != NULL) block_free(table[i], &owner);
    return NULL;
}

static void traced_main(void) {
    watch("a process whose threads are stopped", 100);
    shadow_open();
    for (int i = 0; i < 64; i++) exchange[i] = &exchanged[i];
    pthread_t started[threads];
    for (int i = 0; i < threads; i++) CHECK_ZERO(pthread_create(&started[i], NULL, work, (void *)(uintptr_t)i));
    for (int i = 0; i < threads; i++) CHECK_ZERO(pthread_join(started[i], NULL));
    struct owner owner = {.number = threads};
    for (int i = 0; i < 64; i++)
        if (exchange[i]->start != NULL) block_free(exchange[i], &owner);
    _exit(0);
}

/// Stops one task, and returns what the other threads did while it stood still.
static uint64_t stop_for_a_while(int number) {
    pid_t task = atomic_load(&shared->tasks[number]);
    CHECK(ptrace(PTRACE_INTERRUPT, task, 0, 0) == 0);
    int status;
    CHECK(waitpid(task, &status, __WALL) == task);
    if (!WIFSTOPPED(status)) fail("thread %d ended: %x", number, status);
    uint64_t own = atomic_load(&shared->progress[number]), before = 0, after = 0;
    for (int i = 0; i < threads; i++) before += atomic_load(&shared->progress[i]);
    pause_microseconds(pause_while_stopped);
    for (int i = 0; i < threads; i++) after += atomic_load(&shared->progress[i]);
    CHECK(atomic_load(&shared->progress[number]) == own);
    CHECK(ptrace(PTRACE_CONT, task, 0, 0) == 0);
    return after - before;
}

int main(int count, char **texts) {
    uint64_t stops = count > 1 ? number_argument(texts[1]) : 500, went_on = 0;
    watch("stopping threads", 110);
    shared = map_zeroed(sizeof *shared, true);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) traced_main();
    for (int i = 0; i < threads; i++) {
        while (atomic_load(&shared->tasks[i]) == 0) {
            if (waitpid(child, NULL, WNOHANG) != 0) fail("the traced process ended at its start");
            pause_microseconds(100);
        }
        CHECK(ptrace(PTRACE_SEIZE, atomic_load(&shared->tasks[i]), 0, PTRACE_O_EXITKILL) == 0);
    }
    struct random random = {1};
    for (uint64_t i = 0; i < stops; i++) {
        pause_microseconds(random_below(&random, 1000));
        if (stop_for_a_while((int)random_below(&random, threads)) > 0) went_on++;
    }
    atomic_store(&shared->finished, true);
    for (int ended = 0, status; ended <= threads;) {
        pid_t task = waitpid(-1, &status, __WALL);
        if (task < 0) break;
        if (WIFSTOPPED(status)) {
            int signal = status >> 16 ? 0 : WSTOPSIG(status);
            CHECK(ptrace(PTRACE_CONT, task, 0, (void *)(intptr_t)signal) == 0);
            continue;
        }
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) fail("task %d ended with status %x", (int)task, status);
        ended++;
    }
    if (went_on * 2 < stops)
        fail("the other threads went on in %llu of %llu stops", (unsigned long long)went_on, (unsigned long long)stops);
    printf("stopped: %llu stops, every block accounted for\n", (unsigned long long)stops);
    fprintf(stderr, "the others went on in %llu\n", (unsigned long long)went_on);
    return 0;
}
