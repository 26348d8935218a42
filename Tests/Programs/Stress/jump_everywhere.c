/// A thread leaves malloc or free by a jump after each number of instructions, one after the other:
/// a trap comes after every instruction (the processor's trap flag), and its handler jumps at the
/// one whose turn it is. Afterwards the heap serves, and holds what it held.
///
///   jump_everywhere [STRIDE]
///
/// With a stride, only at each so many instructions. Far behind the start, where bytes are copied
/// and filled, at fewer.
#include "check.h"
#include "trim.h"

#include <limits.h>
#include <malloc.h>
#include <setjmp.h>

#if !defined(__x86_64__)
int main(void) {
    puts("jump_everywhere: not on this architecture");
    return 0;
}
#else

enum { kinds = 7, held = 300, most_jumps_of_long = 60 };

static const char *const names[kinds] = {
    "large malloc", "large free", "refill", "drain", "realloc of a large block", "malloc of a new size", "malloc_trim",
};

static sigjmp_buf before;
static volatile long countdown, executed;
static void *volatile large, *volatile kept[held];
static struct random random_sizes = {7};

static void trap(int number, siginfo_t *information, void *context) {
    (void)number, (void)information, (void)context;
    executed++;
    if (--countdown == 0) siglongjmp(before, 1);
}

/// The flag is on from the next instruction but one, and off in handlers, whose return sets it
/// again.
static inline void trap_on(void) { __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" : : : "memory", "cc"); }
static inline void trap_off(void) { __asm__ volatile("pushfq; andq $~0x100, (%%rsp); popfq" : : : "memory", "cc"); }

static size_t size_of(int kind) { return kind == 3 ? 600 : 48 + 16 * (size_t)random_below(&random_sizes, 30); }

static void set_up(int kind) {
    large = NULL;
    for (int i = 0; i < held; i++) kept[i] = NULL;
    if (kind == 1 || kind == 4) CHECK((large = malloc(300000)) != NULL);
    if (kind == 3) {
        for (int i = 0; i < held; i++) CHECK((kept[i] = malloc(size_of(kind))) != NULL);
        for (int i = 1; i < held; i++) free(kept[i]);
    }
    if (kind == 2 || kind == 6) trim_now();
}

__attribute__((noinline)) static void operate(int kind, size_t size) {
    switch (kind) {
    case 0: large = malloc(300000); break;
    case 1: free(large); break;
    case 2: kept[0] = malloc(size); break;
    case 3: free(kept[0]); break;
    case 4: large = realloc(large, 900000); break;
    case 5: kept[0] = malloc(8 + 8 * (size_t)random_below(&random_sizes, 4000)); break;
    default: trim_now(); break;
    }
}

/// Blocks of many sizes are distinct, and keep what is written to them.
static void check_heap(const char *name, long instructions) {
    enum { blocks_count = 24 };
    static unsigned char *blocks[blocks_count];
    static size_t sizes[blocks_count];
    for (int i = 0; i < blocks_count; i++) {
        sizes[i] = 1 + random_below(&random_sizes, i % 8 == 0 ? 400000 : 900);
        blocks[i] = malloc(sizes[i]);
        if (blocks[i] == NULL) fail("%s after %ld instructions: no memory", name, instructions);
        blocks[i][0] = blocks[i][sizes[i] / 2] = blocks[i][sizes[i] - 1] = (unsigned char)i;
    }
    for (int i = 0; i < blocks_count; i++) {
        bool whole = blocks[i][0] == i && blocks[i][sizes[i] / 2] == i && blocks[i][sizes[i] - 1] == i;
        if (!whole) fail("%s after %ld instructions: block %d has changed", name, instructions, i);
        free(blocks[i]);
    }
}

/// Whether the operation ended before its turn to be left came.
static bool leave_after(int kind, long instructions) {
    set_up(kind);
    size_t size = size_of(kind);
    countdown = instructions;
    if (sigsetjmp(before, 1) != 0) {
        trap_off();
        check_heap(names[kind], instructions);
        return false;
    }
    trap_on();
    operate(kind, size);
    trap_off();
    return true;
}

/// Instructions to the next jump, on average.
static uint64_t step_behind(long instructions, uint64_t stride) {
    uint64_t wide = instructions > 4000 ? (uint64_t)instructions / 3 : 1;
    return wide > stride ? wide : stride;
}

static void *allocate(void *argument) {
    atomic_bool *finished = argument;
    struct random random = {3};
    while (!atomic_load(finished)) free(malloc(random_below(&random, random_below(&random, 10) == 0 ? 200000 : 600)));
    return NULL;
}

int main(int count, char **texts) {
    uint64_t stride = count > 1 ? number_argument(texts[1]) : 1;
    watch("jumps after each instruction", 300);
    struct sigaction action = {.sa_sigaction = trap, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(SIGTRAP, &action, NULL) == 0);
    static atomic_bool finished;
    pthread_t thread;
    CHECK_ZERO(pthread_create(&thread, NULL, allocate, &finished));
    unsigned long jumps = 0;
    for (int kind = 0; kind < kinds; kind++) {
        long instructions = 1;
        // The last operation is long: it is left at some places only.
        bool is_long = kind == kinds - 1;
        unsigned long most = is_long ? jumps + most_jumps_of_long : ULONG_MAX;
        while (jumps < most && !leave_after(kind, instructions)) {
            uint64_t step = is_long ? 300 : step_behind(instructions, stride);
            instructions += (long)(1 + random_below(&random_sizes, 2 * step - 1));
            jumps++;
        }
        CHECK(instructions > 30);
    }
    atomic_store(&finished, true);
    CHECK_ZERO(pthread_join(thread, NULL));
    printf("jump_everywhere: %lu jumps\n", jumps);
    return 0;
}
#endif
