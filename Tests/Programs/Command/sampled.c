// Looks from outside like a process with sampled blocks, with figures that are known: what the
// profile of it must say can be computed.
//
// It has nothing of the allocator but its two public layouts.
#include <percolate/observation.h>
#include <percolate/samples.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct percolate_observed_heap described;
struct percolate_samples samples = {.version = PERCOLATE_SAMPLES_VERSION, .size = sizeof samples};
static struct percolate_sample_site sites[4];
static uint64_t frames[16];
static uint64_t frame_count;
static uint64_t limits[4];

#ifndef VERSION
#define VERSION PERCOLATE_OBSERVATION_VERSION
#endif

extern const struct percolate_observation percolate_observation;
__attribute__((visibility("default"))) const struct percolate_observation percolate_observation = {
    .magic = PERCOLATE_OBSERVATION_MAGIC, .version = VERSION, .size = sizeof described, .heap = (uint64_t)&described};

static void note(unsigned site, void *caller) {
    if (sites[site].depth == 0) sites[site].first_frame = frame_count;
    frames[frame_count++] = (uint64_t)caller;
    sites[site].depth++;
}

// A call that is not the last thing in its function leaves that function's frame where it is.
#define STAY __asm__ volatile("")

__attribute__((noinline)) static void sample(unsigned site) { note(site, __builtin_return_address(0)); }

__attribute__((noinline)) void keep_buffers(void) {
    sample(1);
    note(1, __builtin_return_address(0));
    STAY;
}

__attribute__((noinline)) void make_noise(void) {
    sample(2);
    note(2, __builtin_return_address(0));
    STAY;
}

static void add(unsigned site, double live_blocks, double live_bytes, double total_blocks, double total_bytes) {
    sites[site].sequence++;
    sites[site].live_blocks += live_blocks;
    sites[site].live_bytes += live_bytes;
    sites[site].total_blocks += total_blocks;
    sites[site].total_bytes += total_bytes;
    sites[site].live_samples++;
    sites[site].total_samples++;
    sites[site].sequence++;
}

int main(int count, char **arguments) {
    keep_buffers();
    make_noise();
    for (int index = 0; index < 4; index++) described.limits[index] = (uint64_t)&limits[index];
    described.samples = (uint64_t)&samples;
    samples.sites = (uint64_t)sites;
    samples.site_stride = sizeof sites[0];
    samples.frames = (uint64_t)frames;
    samples.frame_count = frame_count;
    samples.site_count = 3;
    // What was sampled before the profile is no part of what it says was allocated meanwhile.
    add(1, 0, 0, 1000, 1000000);
    add(2, 0, 0, 1000, 1000000);
    described.is_ready = 1;
    int silent = count > 1 && strcmp(arguments[1], "silent") == 0;
    if (puts("ready") < 0 || fflush(stdout) != 0) abort();
    int is_added = 0;
    struct timespec tick = {0, 1000000};
    for (int ticks = 0; ticks < 60000; ticks++) {
        nanosleep(&tick, NULL);
        if (silent || __atomic_load_n(&samples.requests, __ATOMIC_ACQUIRE) == samples.answered) continue;
        samples.rate = samples.wanted_rate;
        __atomic_store_n(&samples.answered, samples.requests, __ATOMIC_RELEASE);
        if (samples.rate == 0 || is_added) continue;
        // The observer takes its first reading now.
        is_added = 1;
        sleep(1);
        add(1, 20, 2000000, 30, 3000000);
        add(2, 0, 0, 50, 5000000);
    }
    return 0;
}
