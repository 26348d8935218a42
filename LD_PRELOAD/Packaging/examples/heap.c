// What the heap holds, what a piece of code allocates, and where memory goes. The program runs
// without the library, too: it is not linked to it, and says less.
//
//     cc heap.c $(pkg-config --cflags percolate) -o heap
//     LD_PRELOAD=libpercolate_malloc.so ./heap
#define PERCOLATE_HEAP_IS_OPTIONAL
#include <inttypes.h>
#include <percolate/heap.h>
#include <stdio.h>
#include <stdlib.h>

static void *volatile kept[1000];

static void allocate(void) {
    for (int number = 0; number < 1000; number++) {
        kept[number] = malloc(1000);
    }
}

static int show(const struct percolate_heap_site *site, void *total) {
    *(double *)total += site->live_bytes;
    if (site->live_bytes > 100000 && site->depth > 0) {
        printf("%.0f bytes from %#" PRIx64 "\n", site->live_bytes, site->frames[0]);
    }
    return 0;
}

int main(void) {
    if (!percolate_heap_figures) {
        puts("the heap is not Percolate's");
        return 0;
    }
    percolate_heap_set_soft_limit(UINT64_C(1) << 30);
    // Every block is sampled: this program is small.
    if (percolate_heap_start_profile(1) != 0) {
        return 1;
    }
    struct percolate_counting_scope scope;
    percolate_heap_begin_counting(&scope);
    allocate();
    percolate_heap_end_counting(&scope);
    percolate_heap_stop_profile();
    printf("%" PRIu64 " blocks of %" PRIu64 " bytes in all\n", scope.allocations,
           scope.allocated_bytes);

    double profiled = 0;
    percolate_heap_visit_sites(show, &profiled);
    struct percolate_process_figures figures;
    percolate_heap_figures(&figures, sizeof figures);
    printf("the program has %" PRIu64 " bytes, in %" PRIu64 " bytes of pages\n",
           figures.application, figures.in_use);
    for (int number = 0; number < 1000; number++) {
        free(kept[number]);
    }
    percolate_heap_trim();
    if (percolate_heap_write_statistics(1, PERCOLATE_STATISTICS_TEXT) != 0) {
        return 1;
    }
    int is_served = percolate_heap_serves_malloc();
    return !is_served
                   || (scope.allocations >= 1000 && profiled >= 1000000
                       && figures.application >= 1000000)
               ? 0
               : 1;
}
