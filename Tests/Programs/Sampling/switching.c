/// Sampling is switched while the process is busy: many threads allocate and check their blocks,
/// and one switches.
///
///   switching THREADS SWITCHES
///
/// With every switch the rate is another one: off, a few kinds of means, every block now and then,
/// guarded blocks too. Blocks hold what they were given, whichever way they were allocated; at the
/// end no sample is left.
#include "samples.h"

enum { held = 64, switch_pause = 200 };

static atomic_bool stopping;

static void fill(unsigned char *block, size_t size, unsigned char value) {
    memset(block, value, size);
    if (size > 0) CHECK(block[size - 1] == value);
}

static void expect(const unsigned char *block, size_t size, unsigned char value) {
    for (size_t position = 0; position < size; position += 1 + size / 16) CHECK(block[position] == value);
    if (size > 0) CHECK(block[size - 1] == value);
}

static size_t choose_size(uint64_t bits) {
    if (bits % 64 == 0) return 33000 + bits / 64 % 100000;
    return bits / 64 % 8 == 0 ? bits / 512 % 9000 : bits / 512 % 200;
}

static void *work(void *seed) {
    uint64_t state = (uint64_t)(uintptr_t)seed * 0x9e3779b97f4a7c15;
    struct { unsigned char *block; size_t size; unsigned char value; } slots[held] = {0};
    for (uint64_t turn = 0; !atomic_load_explicit(&stopping, memory_order_relaxed); turn++) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        unsigned slot = state % held;
        size_t size = choose_size(state >> 8);
        unsigned char value = (unsigned char)turn;
        if (slots[slot].block) expect(slots[slot].block, slots[slot].size, slots[slot].value);
        switch (state >> 60) {
        case 0: case 1: case 2: {
            size_t kept = size < slots[slot].size ? size : slots[slot].size;
            unsigned char *block = realloc(slots[slot].block, size + 1);
            CHECK(block != NULL);
            if (slots[slot].block && kept > 0) expect(block, kept, slots[slot].value);
            slots[slot].block = block;
            break;
        }
        case 3:
            free(slots[slot].block);
            slots[slot].block = calloc(1, size + 1);
            expect(slots[slot].block, size + 1, 0);
            break;
        case 4:
            free(slots[slot].block);
            slots[slot].block = aligned_alloc(64, size + 1);
            CHECK((uintptr_t)slots[slot].block % 64 == 0);
            break;
        default:
            free(slots[slot].block);
            slots[slot].block = malloc(size);
            CHECK(slots[slot].block != NULL);
            fill(slots[slot].block, size, value);
            slots[slot].size = size;
            slots[slot].value = value;
            continue;
        }
        slots[slot].size = size;
        slots[slot].value = value;
        fill(slots[slot].block, size, value);
    }
    for (int slot = 0; slot < held; slot++) free(slots[slot].block);
    return NULL;
}

int main(int argc, char **argv) {
    CHECK(argc == 3);
    find_heap();
    int threads = atoi(argv[1]);
    pthread_t handles[256];
    for (int thread = 0; thread < threads; thread++) {
        CHECK_ZERO(pthread_create(handles + thread, NULL, work, (void *)(uintptr_t)(thread + 1)));
    }
    static const uint64_t rates[] = {4096, 0, 524288, 0, 65536, 1024, 0, 1}, guards[] = {0, 0, 0, 65536, 0, 0, 0, 0};
    for (int index = 0; index < atoi(argv[2]); index++) {
        CHECK(heap->set_sampling(rates[index % 8], guards[index % 8]));
        usleep(switch_pause);
        if (index % 100 == 99) {
            pid_t child = fork();
            CHECK(child >= 0);
            if (child == 0) {
                for (int block = 0; block < 1000; block++) free(malloc((size_t)block));
                _exit(heap->set_sampling(4096, 0) ? 0 : 1);
            }
            int status;
            CHECK(waitpid(child, &status, 0) == child && status == 0);
        }
    }
    CHECK(heap->set_sampling(0, 0));
    atomic_store(&stopping, true);
    for (int thread = 0; thread < threads; thread++) CHECK_ZERO(pthread_join(handles[thread], NULL));
    uint64_t live = 0, total = 0;
    for (uint64_t number = 0; number < heap->samples->site_count; number++) {
        live += site_at(number)->live_samples;
        total += site_at(number)->total_samples;
    }
    // What libc and the threads' records hold may be among the samples.
    if (live >= 200 || total == 0) fail("%lu samples, %lu live", total, live);
    CHECK(heap->samples->answered == heap->samples->requests);
    printf("switching: %lu samples, %lu live\n", total, live);
    return 0;
}
