/// Signal handlers that interrupt the allocator ask for more than there can be: they get NULL, like
/// everybody.
///
///   absurd_in_handler [HANDLERS]
#include "check.h"

#include <sys/time.h>

static volatile uint64_t handled;

static void expect_none(void *block, const char *what) {
    if (block != NULL) fail("%s gave %p", what, block);
}

static void handle(int number) {
    (void)number;
    int saved = errno;
    size_t most = (size_t)PTRDIFF_MAX;
    size_t sizes[] = {most, most - 4095, most - 65536, most - 65537, most / 2, (size_t)1 << 61, (size_t)1 << 60, (size_t)1 << 50, SIZE_MAX};
    size_t alignments[] = {16, 4096, (size_t)1 << 30, (size_t)1 << 46, (size_t)1 << 47, (size_t)1 << 62, (size_t)1 << 63};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t size = sizes[i];
        expect_none(malloc(size), "malloc");
        expect_none(calloc(1, size), "calloc");
        for (size_t j = 0; j < sizeof alignments / sizeof *alignments; j++)
            expect_none(aligned_alloc(alignments[j], size), "aligned_alloc");
    }
    for (size_t j = 4; j < sizeof alignments / sizeof *alignments; j++)
        expect_none(aligned_alloc(alignments[j], 100), "aligned_alloc of a small size");
    handled++;
    errno = saved;
}

int main(int count, char **texts) {
    uint64_t most = count > 1 ? number_argument(texts[1]) : 3000;
    watch("absurd sizes in handlers", 60);
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    CHECK(sigaction(SIGVTALRM, &action, NULL) == 0);
    struct itimerval interval = {{0, 500}, {0, 500}};
    CHECK(setitimer(ITIMER_VIRTUAL, &interval, NULL) == 0);
    struct random random = {1};
    while (handled < most) {
        void *volatile block = malloc(random_below(&random, 2) == 0 ? 700 : 40000 + random_below(&random, 200000));
        CHECK(block != NULL);
        free(block);
    }
    printf("absurd_in_handler: %llu handlers\n", (unsigned long long)handled);
    return 0;
}
