/// Unwinds the stack from inside the allocator, as profilers and debuggers do: by its unwind
/// information, which backtrace(3) reads, and by frame pointers. Both must lead to the function
/// that called the allocator.
///
///   unwind stepped          from each instruction of each slow path: a trap follows every
///   instruction unwind profiled HITS    from a profiler's signals, until HITS of them found the
///   allocator running
///
/// Compile with -fno-omit-frame-pointer.
#include "check.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <link.h>
#include <malloc.h>
#include <ucontext.h>

enum { most_frames = 100, trap_flag = 0x100 };

struct range {
    uintptr_t start, end;
};

static bool contains(struct range range, uintptr_t address) { return address - range.start < range.end - range.start; }

/// The code of the shared object that serves malloc.
static struct range library;

static volatile sig_atomic_t active;
/// The frame of the function that calls the allocator.
static volatile uintptr_t frame_of_caller;
static _Atomic unsigned long inside, handled;

/// How often each instruction of the shared object was unwound from: loops are left out after some
/// turns.
static unsigned char turns[1 << 20];
enum { most_turns = 4 };

static int find_library(struct dl_phdr_info *object, size_t size, void *address) {
    (void)size;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        struct range range = {object->dlpi_addr + segment->p_vaddr, object->dlpi_addr + segment->p_vaddr + segment->p_memsz};
        if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X)) continue;
        if (!contains(range, (uintptr_t)address)) continue;
        library = range;
        return 1;
    }
    return 0;
}

/// The code of the functions below that call the allocator.
static struct range called(void) {
    extern char __start_called[], __stop_called[];
    return (struct range){(uintptr_t)__start_called, (uintptr_t)__stop_called};
}
#define CALLED __attribute__((noinline, section("called")))

/// Returns whether the allocator was called directly: libc's fork stands between its caller and
/// what it registered.
static bool check_unwind_information(uintptr_t pc) {
    void *frames[most_frames];
    int count = backtrace(frames, most_frames), i = 0;
    while (i < count && (uintptr_t)frames[i] != pc) i++;
    bool direct = true;
    for (; i < count; i++) {
        uintptr_t frame = (uintptr_t)frames[i];
        if (contains(called(), frame)) return direct;
        direct = direct && contains(library, frame);
    }
    fail("backtrace from library + 0x%lx does not reach its caller: %d frames", pc - library.start, count);
}

/// The chain lacks one caller while a function has not yet made its own frame.
static void check_frame_pointers(uintptr_t pc, uintptr_t frame_pointer) {
    for (int i = 0; i < most_frames; i++) {
        if (frame_pointer == frame_of_caller) return;
        if (frame_pointer - frame_of_caller < (uintptr_t)-(1 << 20) || frame_pointer % 8 != 0) break;
        const uintptr_t *frame = (const uintptr_t *)frame_pointer;
        if (!contains(library, frame[1]) && !contains(called(), frame[1])) break;
        frame_pointer = frame[0];
    }
    fail("frame pointers from library + 0x%lx do not reach its caller", pc - library.start);
}

static void unwind(int number, siginfo_t *information, void *opaque) {
    (void)information;
    ucontext_t *context = opaque;
    if (!active) {
        context->uc_mcontext.gregs[REG_EFL] &= ~trap_flag;
        return;
    }
    uintptr_t pc = (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
    unsigned char *turn = &turns[(pc - library.start) % sizeof turns];
    if (contains(library, pc) && (number == SIGPROF || *turn < most_turns)) {
        int error_number = errno;
        if (check_unwind_information(pc)) check_frame_pointers(pc, (uintptr_t)context->uc_mcontext.gregs[REG_RBP]);
        errno = error_number;
        inside++;
        *turn += 1;
    }
    handled++;
}

/// The shared object's own, which are looked up so that nothing of libc or the compiler stands
/// between.
static struct {
    void *(*new)(size_t);
    void (*delete)(void *);
    void (*free_sized)(void *, size_t);
} looked_up;

static CALLED void operations(size_t round) {
    frame_of_caller = (uintptr_t)__builtin_frame_address(0);
    void *block = malloc(64 + round * 300);
    void *zeroed = calloc(3, 100 + round);
    void *grown = realloc(malloc(100), 2000 + round * 3000);
    void *large = malloc(40000 + round * 100000);
    void *aligned = memalign(256, 700 + round * 5000);
    void *created = looked_up.new(128 + round);
    void *sized = malloc(48);
    size_t volatile much = (size_t)1 << 62;
    void *absurd = malloc(much), *overflow = calloc(much, much);
    CHECK(block && zeroed && grown && large && aligned && created && sized && !absurd && !overflow);
    CHECK(malloc_usable_size(large) >= 40000);
    large = realloc(large, 200000);
    free(block), free(zeroed), free(grown), free(large), free(aligned);
    looked_up.delete(created);
    looked_up.free_sized(sized, 48);
    if (round != 0) return;
    CHECK(mallinfo2().arena > 0);
    malloc_trim(0);
    pid_t child = vfork();
    if (child == 0) _exit(0);
    expect_success(child, "the child of vfork");
    child = fork();
    if (child == 0) {
        free(malloc(100));
        _exit(0);
    }
    expect_success(child, "the child of fork");
}

static CALLED void step_through(size_t round) {
    active = 1;
    __asm__ volatile("subq $128, %%rsp\n\tpushfq\n\torq %0, (%%rsp)\n\tpopfq\n\taddq $128, %%rsp" ::"i"(trap_flag)
                     : "memory", "cc");
    operations(round);
    active = 0;
}

/// Sends the next signal a little after the last one was handled, at ever other places.
static void *interrupt(void *thread) {
    struct random random = {1};
    while (active) {
        unsigned long before = handled;
        CHECK_ZERO(pthread_kill(*(pthread_t *)thread, SIGPROF));
        while (active && handled == before) sched_yield();
        for (uint64_t i = random_below(&random, 3000); i > 0; i--) __asm__ volatile("");
    }
    return NULL;
}

static CALLED void run_interrupted(unsigned long hits) {
    frame_of_caller = (uintptr_t)__builtin_frame_address(0);
    pthread_t self = pthread_self(), thread;
    active = 1;
    CHECK_ZERO(pthread_create(&thread, NULL, interrupt, &self));
    for (size_t round = 1; inside < hits; round++) {
        void *blocks[1000];
        size_t size = round % 16 == 0 ? 40000 : 16 + round % 3000;
        size_t count = round % 16 == 0 ? 20 : 1000;
        for (size_t i = 0; i < count; i++) blocks[i] = malloc(size + i);
        for (size_t i = 0; i < count; i++) free(blocks[i]);
    }
    active = 0;
    CHECK_ZERO(pthread_join(thread, NULL));
}

int main(int count, char **texts) {
    bool stepped = count == 2 && strcmp(texts[1], "stepped") == 0;
    if (!stepped && (count != 3 || strcmp(texts[1], "profiled") != 0)) fail("unwind stepped | profiled HITS");
    watch("unwinding from inside the allocator", 280);
    *(void **)&looked_up.new = dlsym(RTLD_DEFAULT, "_Znwm");
    *(void **)&looked_up.delete = dlsym(RTLD_DEFAULT, "_ZdlPv");
    *(void **)&looked_up.free_sized = dlsym(RTLD_DEFAULT, "free_sized");
    CHECK(looked_up.new && looked_up.delete && looked_up.free_sized);
    CHECK(dl_iterate_phdr(find_library, dlsym(RTLD_DEFAULT, "_Znwm")) == 1);
    // The first call loads the unwinder.
    void *frame;
    CHECK(backtrace(&frame, 1) == 1);
    struct sigaction action = {.sa_sigaction = unwind, .sa_flags = SA_SIGINFO | SA_RESTART};
    CHECK(sigaction(stepped ? SIGTRAP : SIGPROF, &action, NULL) == 0);
    if (stepped) for (size_t round = 0; round < 2; round++) step_through(round);
    else run_interrupted(number_argument(texts[2]));
    if (inside < 1000) fail("only %lu places were inside the allocator", inside);
    printf("unwind: %lu times from inside the allocator\n", inside);
    return 0;
}
