// The C interface of the heap (<percolate/heap.h>), one promise for each name.
//
//     heap PROMISE
#define PERCOLATE_HEAP_IS_OPTIONAL
#define _GNU_SOURCE
#include "../expect.h"
#include <percolate/heap.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *volatile blocks[2000];

static void allocate_all(size_t size) {
    for (int number = 0; number < 2000; number++) {
        blocks[number] = malloc(size);
    }
}

static void free_all(void) {
    for (int number = 0; number < 2000; number++) {
        free(blocks[number]);
    }
}

static void absence(void) {
    EXPECT(percolate_heap_figures == NULL && percolate_heap_trim == NULL
           && percolate_harden == NULL);
    EXPECT(percolate_heap_visit_sites == NULL && percolate_heap_begin_counting == NULL);
}

static void figures(void) {
    struct percolate_process_figures before, after;
    percolate_heap_figures(&before, sizeof before);
    allocate_all(1000);
    percolate_heap_figures(&after, sizeof after);
    EXPECT(percolate_heap_serves_malloc() == 1 && after.process_id == (uint64_t)getpid());
    EXPECT(after.application - before.application >= 2000 * 1000
           && after.application - before.application < 3000000);
    EXPECT(after.in_use >= after.application && after.resident > 0
           && after.memory_limit == UINT64_MAX);

    // An older program knows fewer figures, a newer one more.
    struct {
        struct percolate_process_figures known;
        uint64_t later[4];
    } newer;
    memset(&newer, 0x55, sizeof newer);
    percolate_heap_figures(&newer.known, sizeof newer);
    for (int number = 0; number < 4; number++) {
        EXPECT(newer.later[number] == 0);
    }
    memset(&newer, 0x55, sizeof newer);
    percolate_heap_figures(&newer.known, 16);
    EXPECT(newer.known.process_id == (uint64_t)getpid() && newer.known.index == 0x5555555555555555);

    size_t count = percolate_heap_class_figures(NULL, 0, 0);
    struct percolate_class_figures classes[200];
    EXPECT(count > 20 && count < 200);
    EXPECT(percolate_heap_class_figures(classes, sizeof *classes, 200) == count);
    uint64_t found = 0;
    for (size_t number = 0; number < count; number++) {
        EXPECT(classes[number].block_size > (number ? classes[number - 1].block_size : 0));
        if (classes[number].block_size < 1000 || found) {
            continue;
        }
        found =
            classes[number].blocks - classes[number].free_blocks - classes[number].cached_blocks;
    }
    // Under full hardening, blocks are a little larger than they were asked for.
    EXPECT(found >= 2000 || after.mode == 2);
    classes[1].block_size = 4711;
    EXPECT(percolate_heap_class_figures(classes, sizeof *classes, 1) == count
           && classes[1].block_size == 4711);

    struct percolate_cpu_figures cpus[8192];
    size_t cpu_count = percolate_heap_cpu_figures(cpus, sizeof *cpus, 8192);
    EXPECT(cpu_count >= (size_t)sysconf(_SC_NPROCESSORS_ONLN) && cpu_count <= 8192);
    uint64_t events = 0;
    for (size_t index = 0; index < cpu_count; index++) {
        EXPECT(cpus[index].index == index);
        events += cpus[index].refills + cpus[index].direct_allocations;
    }
    EXPECT(events > 0);
    free_all();
}

static void texts(void) {
    static const char *const parts[] = {"application", "{", "# HELP"};
    for (int format = 0; format < 3; format++) {
        int ends[2];
        static char text[200000];
        EXPECT(pipe(ends) == 0 && fcntl(ends[1], F_SETPIPE_SZ, (int)sizeof text) >= 0);
        EXPECT(percolate_heap_write_statistics(ends[1], format) == 0);
        close(ends[1]);
        ssize_t length = read(ends[0], text, sizeof text - 1);
        EXPECT(length > 100 && strstr(text, parts[format]) != NULL);
        close(ends[0]);
    }
    EXPECT(percolate_heap_write_statistics(1, 3) == -1 && errno == EINVAL);
    EXPECT(percolate_heap_write_statistics(1, -1) == -1 && errno == EINVAL);
    EXPECT(percolate_heap_write_statistics(-1, 0) == -1 && errno == EBADF);
}

static void trimming(void) {
    struct percolate_process_figures full, empty;
    allocate_all(8000);
    for (int number = 0; number < 2000; number++) {
        memset(blocks[number], 1, 8000);
    }
    percolate_heap_figures(&full, sizeof full);
    free_all();
    percolate_heap_trim();
    percolate_heap_figures(&empty, sizeof empty);
    EXPECT(full.resident > empty.resident + 8000000 && empty.free_resident < 1000000);
}

static void limits(void) {
    struct percolate_process_figures now;
    percolate_heap_figures(&now, sizeof now);
    percolate_heap_set_limit(now.in_use + (1 << 20));
    errno = 0;
    void *volatile block = malloc(64 << 20);
    EXPECT(block == NULL && errno == ENOMEM);
    percolate_heap_figures(&now, sizeof now);
    EXPECT(now.memory_limit != UINT64_MAX);
    EXPECT(percolate_heap_allocate(64, 64 << 20) == NULL && errno == ENOMEM);
    percolate_heap_set_limit(UINT64_MAX);
    block = malloc(64 << 20);
    EXPECT(block != NULL);
    free(block);

    // A soft limit below what is resident: what is free goes back at once.
    allocate_all(8000);
    for (int number = 0; number < 2000; number++) {
        memset(blocks[number], 1, 8000);
    }
    free_all();
    percolate_heap_set_soft_limit(1 << 20);
    percolate_heap_figures(&now, sizeof now);
    EXPECT(now.free_resident < 4000000);
    block = malloc(64 << 20);
    EXPECT(block != NULL);
    free(block);
    percolate_heap_set_soft_limit(UINT64_MAX);
}

static void *allocate_in_thread(void *scope) {
    void *volatile block = malloc(100);
    free(block);
    return scope;
}

static void counting(void) {
    static struct percolate_counting_scope outer, inner;
    pthread_t thread;
    percolate_heap_begin_counting(&outer);
    allocate_all(100);
    percolate_heap_begin_counting(&inner);
    void *volatile block = malloc(5000);
    free(block);
    percolate_heap_end_counting(&inner);
    free_all();
    percolate_heap_end_counting(&outer);
    EXPECT(inner.allocations == 1 && inner.deallocations == 1 && inner.peak_bytes >= 5000
           && inner.peak_bytes < 6000);
    EXPECT(outer.allocations == 2001 && outer.deallocations == 2001);
    EXPECT(outer.allocated_bytes == outer.deallocated_bytes && outer.peak_bytes >= 200000);

    // All threads are counted. A scope may be used again.
    percolate_heap_begin_counting(&outer);
    EXPECT(pthread_create(&thread, NULL, allocate_in_thread, NULL) == 0
           && pthread_join(thread, NULL) == 0);
    percolate_heap_end_counting(&outer);
    EXPECT(outer.allocations >= 1 && outer.allocations < 50);
    uint64_t counted = outer.allocations;
    block = malloc(100);
    free(block);
    EXPECT(outer.allocations == counted);
}

struct sum {
    double bytes, blocks;
    uint64_t samples;
    int seen_sites;
};

static int add_site(const struct percolate_heap_site *site, void *context) {
    struct sum *sum = context;
    sum->bytes += site->live_bytes;
    sum->blocks += site->live_blocks;
    sum->samples += site->live_samples;
    sum->seen_sites++;
    EXPECT(site->depth == 0 || site->frames[0] != 0);
    return 0;
}

static int add_sample(const struct percolate_heap_sample *sample, void *context) {
    struct sum *sum = context;
    sum->bytes += sample->blocks * (double)sample->size;
    sum->samples++;
    EXPECT(sample->thread > 0 && strlen(sample->thread_name) < 16 && sample->time > 0);
    return 0;
}

static int stop_at_once(const struct percolate_heap_site *site, void *context) {
    ++*(int *)context;
    return site ? 77 : 0;
}

static void profile(void) {
    EXPECT(percolate_heap_start_profile(0) == -1 && errno == EINVAL);
    EXPECT(percolate_heap_profile_mean() == 0);
    EXPECT(percolate_heap_start_profile(1) == 0 && percolate_heap_profile_mean() == 1);
    allocate_all(1000);
    percolate_heap_stop_profile();
    EXPECT(percolate_heap_profile_mean() == 0 && percolate_heap_lost_samples() == 0);
    struct sum sites = {0}, samples = {0};
    EXPECT(percolate_heap_visit_samples(add_sample, &samples) == 0);
    EXPECT(percolate_heap_visit_sites(add_site, &sites) == 0);
    EXPECT(sites.samples >= 2000 && sites.bytes >= 2000000 && sites.bytes < 2100000
           && sites.seen_sites >= 2);
    EXPECT(samples.samples == sites.samples && samples.bytes == sites.bytes);
    int visited = 0;
    EXPECT(percolate_heap_visit_sites(stop_at_once, &visited) == 77 && visited == 1);
    free_all();
    struct sum after = {0};
    percolate_heap_visit_sites(add_site, &after);
    EXPECT(after.bytes < 100000);
}

static void blocks_of_its_own(void) {
    for (size_t alignment = 1; alignment <= 65536; alignment *= 2) {
        unsigned char *block = percolate_heap_allocate_zeroed(alignment, 100);
        EXPECT(block && (uintptr_t)block % alignment == 0
               && percolate_heap_block_size(block) >= 100);
        for (int place = 0; place < 100; place++) {
            EXPECT(block[place] == 0);
        }
        memset(block, 7, 100);
        percolate_heap_deallocate_sized(block, alignment, 100);
    }
    EXPECT(percolate_heap_allocate(0, 8) == NULL && errno == EINVAL);
    EXPECT(percolate_heap_allocate(24, 8) == NULL && errno == EINVAL);
    EXPECT(percolate_heap_allocate_zeroed(3, 8) == NULL && errno == EINVAL);
    EXPECT(percolate_heap_allocate(16, SIZE_MAX / 2) == NULL && errno == ENOMEM);
    char *block = percolate_heap_reallocate(NULL, 10);
    strcpy(block, "nine char");
    block = percolate_heap_reallocate(block, 100000);
    EXPECT(strcmp(block, "nine char") == 0);
    percolate_heap_deallocate(block);
    percolate_heap_deallocate(NULL);
    EXPECT(percolate_heap_block_size(NULL) == 0);
}

static void begin_twice(void) {
    static struct percolate_counting_scope scope;
    percolate_heap_begin_counting(&scope);
    percolate_heap_begin_counting(&scope);
}

static void end_first(void) {
    static struct percolate_counting_scope scope;
    percolate_heap_end_counting(&scope);
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*check)(void);
    } promises[] = {
        {"absence", absence},
        {"figures", figures},
        {"texts", texts},
        {"trimming", trimming},
        {"limits", limits},
        {"counting", counting},
        {"profile", profile},
        {"blocks", blocks_of_its_own},
        {"begin_twice", begin_twice},
        {"end_first", end_first},
    };
    for (size_t number = 0; argc > 1 && number < sizeof promises / sizeof *promises; number++) {
        if (strcmp(argv[1], promises[number].name) != 0) {
            continue;
        }
        promises[number].check();
        return failures ? 1 : 0;
    }
    return 2;
}
