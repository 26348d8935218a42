// Small objects in a fixed pattern (the shape of sh6bench): each pass allocates runs of equal sizes, frees part of them
// at once in order, part in reverse, and keeps part for some passes.
#include "workload.h"

enum { run = 50, kept_passes = 4, kinds = 40 };
static uint64_t threads, passes;

static void *body(void *unused) {
    (void)unused;
    void *kept[kept_passes][kinds][run / 5];
    memset(kept, 0, sizeof kept);
    for (uint64_t pass = 0; pass < passes; pass++) {
        uint64_t age = pass % kept_passes;
        for (int kind = 0; kind < kinds; kind++) {
            size_t size = 8 + 12 * (size_t)kind;
            void *blocks[run];
            for (int i = 0; i < run; i++) {
                blocks[i] = malloc(size);
                *(volatile char *)blocks[i] = 1;
            }
            for (int i = 0; i < 2 * run / 5; i++) free(blocks[i]);
            for (int i = 4 * run / 5 - 1; i >= 2 * run / 5; i--) free(blocks[i]);
            for (int i = 0; i < run / 5; i++) {
                free(kept[age][kind][i]);
                kept[age][kind][i] = blocks[4 * run / 5 + i];
            }
        }
    }
    for (int age = 0; age < kept_passes; age++) {
        for (int kind = 0; kind < kinds; kind++) {
            for (int i = 0; i < run / 5; i++) free(kept[age][kind][i]);
        }
    }
    return NULL;
}

int main(int argc, char **argv) {
    workload_begin(argc, argv);
    threads = workload_argument("threads", 1);
    passes = workload_amount("passes", 30000);
    workload_arguments_end();
    if (threads == 1) body(NULL);
    else run_threads(threads, body);
}
