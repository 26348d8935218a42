/// Sites whose shares of the allocated bytes are known, against what the samples say of them.
///
///   known_shares RATE ROUNDS [THREADS]
///
/// The sites take turns in one loop: blocks that are freed at once, blocks that stay, zeroed,
/// aligned and large blocks, and blocks that grow by realloc. Prints one line for each: its name,
/// the true bytes, the estimate, and the standard deviation that the estimate should have. And one
/// for what stays, from the live figures.
#include "samples.h"

#include <math.h>

enum { pairs = 40, kept_size = 200, large_size = 40000, grown = 14 };

struct site {
    const char *name;
    const char *start, *end;
    /// What was allocated, and the variance of its estimate.
    double bytes, variance;
    double estimate;
};

#define SITE(name) extern const char __start_site_##name[], __stop_site_##name[]
#define IN(name) __attribute__((noinline, noclone, section("site_" #name)))
SITE(pair);
SITE(kept);
SITE(large);
SITE(grow);
SITE(zeroed);
SITE(aligned);

static double rate;

/// The size class's size decides with which probability a block is a sample: that of a block as
/// `malloc_usable_size` tells, for a plain one.
static double probability(double size) { return 1 - exp(-size / rate); }

static void count(struct site *site, double size, double class_size) {
    double p = probability(class_size);
    site->bytes += size;
    site->variance += size * size * (1 - p) / p;
}

static _Thread_local void *volatile sink;

IN(pair) void allocate_pairs(void) {
    for (int index = 0; index < pairs; index++) {
        sink = malloc(48);
        free(sink);
    }
    __asm__ volatile("");
}

IN(kept) void *allocate_kept(void) {
    void *block = malloc(kept_size);
    __asm__ volatile("" : "+r"(block));
    return block;
}

IN(large) void allocate_large(void) {
    sink = malloc(large_size);
    free(sink);
    __asm__ volatile("");
}

IN(grow) void grow_block(void) {
    void *block = malloc(16);
    for (int power = 5; power < 5 + grown; power++) block = realloc(block, (size_t)1 << power);
    sink = block;
    free(sink);
    __asm__ volatile("");
}

IN(zeroed) void allocate_zeroed(void) {
    sink = calloc(7, 100);
    for (int byte = 0; byte < 700; byte++) CHECK(((char *)sink)[byte] == 0);
    memset(sink, 1, 700);
    free(sink);
    __asm__ volatile("");
}

IN(aligned) void allocate_aligned(void) {
    sink = aligned_alloc(256, 512);
    CHECK((uintptr_t)sink % 256 == 0);
    free(sink);
    __asm__ volatile("");
}

static int rounds;

static void *run(void *result) {
    void **kept = result;
    for (int round = 0; round < rounds; round++) {
        allocate_pairs();
        kept[round] = allocate_kept();
        if (round % 8 == 0) allocate_large();
        if (round % 32 == 0) grow_block();
        allocate_zeroed();
        allocate_aligned();
    }
    return NULL;
}

int main(int argc, char **argv) {
    CHECK(argc >= 3);
    find_heap();
    rate = atof(argv[1]);
    rounds = atoi(argv[2]);
    int threads = argc > 3 ? atoi(argv[3]) : 1;
    void ***kept = calloc((size_t)threads, sizeof *kept);
    for (int thread = 0; thread < threads; thread++) kept[thread] = calloc((size_t)rounds, sizeof(void *));
    CHECK(heap->set_sampling((uint64_t)rate, 0));

    pthread_t handles[64];
    for (int thread = 1; thread < threads; thread++) pthread_create(handles + thread, NULL, run, kept[thread]);
    run(kept[0]);
    for (int thread = 1; thread < threads; thread++) pthread_join(handles[thread], NULL);
    CHECK(heap->set_sampling(0, 0));

#define ENTRY(name) {#name, __start_site_##name, __stop_site_##name, 0, 0, 0}
    struct site sites[] = {ENTRY(pair), ENTRY(kept), ENTRY(large), ENTRY(grow), ENTRY(zeroed), ENTRY(aligned)};
    struct site live = {"live", NULL, NULL, 0, 0, 0};
    for (int round = 0; round < rounds * threads; round++) {
        for (int pair = 0; pair < pairs; pair++) count(sites + 0, 48, 48);
        count(sites + 1, kept_size, 208);
        count(&live, kept_size, 208);
        int own = round % rounds;
        if (own % 8 == 0) count(sites + 2, large_size, large_size);
        if (own % 32 == 0) {
            for (int power = 4; power < 5 + grown; power++) count(sites + 3, 1 << power, 1 << power);
        }
        count(sites + 4, 700, 704);
        count(sites + 5, 512, 512);
    }
    uint64_t seen = 0;
    for (uint64_t number = 0; number < heap->samples->site_count; number++) {
        const struct percolate_sample_site *site = site_at(number);
        if (number == 0) CHECK(site->total_samples == 0);
        seen += site->live_samples;
        for (size_t index = 0; index < sizeof sites / sizeof sites[0]; index++) {
            if (!passes(site, sites[index].start, sites[index].end)) continue;
            sites[index].estimate += site->total_bytes;
            if (index == 1) live.estimate += site->live_bytes;
            else CHECK(site->live_samples == 0 && site->live_bytes == 0);
        }
    }
    for (size_t index = 0; index < sizeof sites / sizeof sites[0]; index++) {
        printf("%s %.0f %.0f %.0f\n", sites[index].name, sites[index].bytes, sites[index].estimate,
               sqrt(sites[index].variance));
    }
    printf("%s %.0f %.0f %.0f\n", live.name, live.bytes, live.estimate, sqrt(live.variance));

    // Records and sites agree, and a block that is freed leaves its record.
    uint64_t records = 0;
    for (uint64_t number = 0; number < heap->samples->record_count; number++) {
        records += sample_at(number)->state == PERCOLATE_SAMPLE_LIVE;
    }
    CHECK(records == seen);
    for (int thread = 0; thread < threads; thread++) {
        for (int round = 0; round < rounds; round++) free(kept[thread][round]);
    }
    for (uint64_t number = 0; number < heap->samples->site_count; number++) {
        const struct percolate_sample_site *site = site_at(number);
        if (passes(site, sites[1].start, sites[1].end)) CHECK(site->live_samples == 0 && site->live_blocks == 0);
    }
    printf("known_shares: %lu records\n", records);
    return 0;
}
