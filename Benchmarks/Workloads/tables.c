// Fill and drain: every thread fills a table with blocks of mixed small sizes, in runs of one size
// as programs make them, and then frees what lies below a window forwards and what lies above it
// backwards. The window moves on, so that some blocks of each filling outlive the next one. No
// block comes back before the table is full.
#include "workload.h"

static uint64_t threads, blocks, rounds, most, longest_run;

/// Sizes below `most`, each doubling as likely as the next.
static size_t mixed_size(struct random_source *source) {
    uint64_t bound = 16;
    while (bound < most && random_below(source, 8) != 0) bound *= 2;
    return random_between(source, bound / 2, bound < most ? bound : most);
}

static void *body(void *index) {
    struct random_source source = random_seeded((uintptr_t)index);
    void **entries = table(blocks, sizeof(void *));
    uint64_t part = blocks / 5, window = 4 * part;
    for (uint64_t round = 0; round < rounds; round++) {
        uint64_t left = 0;
        size_t size = 0;
        for (uint64_t i = 0; i < blocks; i++) {
            if (entries[i] != NULL) continue;
            if (left == 0) {
                left = random_between(&source, 1, longest_run);
                size = mixed_size(&source);
            }
            left--;
            char *block = malloc(size);
            if (block == NULL) workload_fail("malloc returned NULL");
            *block = 1;
            entries[i] = block;
        }
        window = window == 4 * part ? 0 : window + part;
        for (uint64_t i = 0; i < window; i++) {
            free(entries[i]);
            entries[i] = NULL;
        }
        for (uint64_t i = blocks; i > window + part; i--) {
            free(entries[i - 1]);
            entries[i - 1] = NULL;
        }
    }
    for (uint64_t i = 0; i < blocks; i++) free(entries[i]);
    munmap(entries, blocks * sizeof(void *));
    return NULL;
}

int main(int argc, char **argv) {
    workload_begin(argc, argv);
    threads = workload_argument("threads", 1);
    blocks = workload_argument("blocks", 100000);
    rounds = workload_amount("rounds", 150);
    most = workload_argument("most", 1024);
    longest_run = workload_argument("run", 250);
    workload_arguments_end();
    if (blocks < 5 || longest_run == 0) workload_fail("blocks must be at least 5, run at least 1");
    run_threads(threads, body);
}
