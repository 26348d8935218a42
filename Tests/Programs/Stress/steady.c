/// Lost blocks accumulate: threads replace blocks of a constant live set, half of them freed by
/// another thread, and resident memory after a long time must be what it was after a short one.
///
///   steady [THREADS [REPLACEMENTS-PER-THREAD]]
#include "resident.h"

enum { shared_slots = 8192, most_threads = 64, rounds = 16 };

static _Atomic(void *) slots[shared_slots];
static uint64_t threads = 8, replacements = 800000;
static pthread_barrier_t barrier;
static uint64_t resident[rounds];

static void *replace(void *argument) {
    uint64_t number = (uint64_t)(uintptr_t)argument;
    struct random random = {number + 1};
    for (int round = 0; round < rounds; round++) {
        for (uint64_t i = 0; i < replacements / rounds; i++) {
            size_t size = random_below(&random, 32) == 0 ? random_below(&random, 16384) : random_below(&random, 512);
            char *block = malloc(size + 8);
            CHECK(block != NULL);
            memset(block, (int)number, size + 8);
            free(atomic_exchange(&slots[random_below(&random, shared_slots)], block));
        }
        pthread_barrier_wait(&barrier);
        if (number == 0) resident[round] = (uint64_t)resident_pages() * (uint64_t)sysconf(_SC_PAGESIZE);
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

int main(int count, char **texts) {
    if (count > 1) threads = number_argument(texts[1]);
    if (count > 2) replacements = number_argument(texts[2]);
    CHECK(threads >= 1 && threads <= most_threads);
    watch("replacing blocks of a constant live set", 110);
    CHECK_ZERO(pthread_barrier_init(&barrier, NULL, (unsigned)threads));
    pthread_t started[most_threads];
    for (uint64_t i = 0; i < threads; i++)
        CHECK_ZERO(pthread_create(&started[i], NULL, replace, (void *)(uintptr_t)i));
    for (uint64_t i = 0; i < threads; i++) CHECK_ZERO(pthread_join(started[i], NULL));
    // A quarter of the rounds reaches the steady state. In the rest the live set is replaced
    // hundreds of times, so one block lost in a hundred would double it.
    uint64_t early = resident[rounds / 4], late = resident[rounds - 1];
    if (late > early + early / 2 + (4 << 20))
        fail("resident memory grew from %llu to %llu bytes over a constant live set", (unsigned long long)early,
            (unsigned long long)late);
    printf("steady: %llu threads, resident memory stays\n", (unsigned long long)threads);
    fprintf(stderr, "resident %llu, then %llu\n", (unsigned long long)early, (unsigned long long)late);
    return 0;
}
