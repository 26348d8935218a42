#define _GNU_SOURCE
#include "percolate/process.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/sysinfo.h>

#include "percolate/frames.h"
#include "percolate/loaded_symbol.h"
#include "percolate/syscalls.h"

/// What runs in every process, apart from the code that only processes which allocate touch.
#define LIGHT __attribute__((section(".text.startup")))

extern char **environ;

/// Where the process's initial stack begins: argc, argv, a null pointer, the environment. Set by
/// the dynamic loader.
extern void *__libc_stack_end __attribute__((weak));

LIGHT static char **initial_environment(void) {
    if (!&__libc_stack_end || !__libc_stack_end) return NULL;
    long *stack = __libc_stack_end;
    return (char **)(stack + 1 + stack[0] + 1);
}

/// Where the text goes on after "PERCOLATE_OPTIONS=", or NULL where it begins otherwise. The name
/// is part of the code: constants lie elsewhere, and every process would have the pages around them
/// mapped.
LIGHT static const char *options_value(const char *text) {
    const uint64_t name[3] = {0x54414c4f43524550, 0x4e4f4954504f5f45, 0x3d53}; // PERCOLAT, E_OPTION, S=
    for (unsigned position = 0; position < 18; position++) {
        uint64_t word = position < 8 ? name[0] : position < 16 ? name[1] : name[2];
        if (text[position] != (char)(word >> position % 8 * 8)) return NULL;
    }
    return text + 18;
}

LIGHT const char *percolate_options_text(void) {
    char **entry = environ ? environ : initial_environment();
    for (; entry && *entry; entry++) {
        const char *value = options_value(*entry);
        if (value) return value;
    }
    return NULL;
}

const char *percolate_environment_value(const char *name) {
    size_t length = strlen(name);
    char **entry = environ ? environ : initial_environment();
    for (; entry && *entry; entry++) {
        bool is_named = strncmp(*entry, name, length) == 0 && (*entry)[length] == '=';
        if (is_named) return *entry + length + 1;
    }
    return NULL;
}

uint64_t percolate_random(void) {
    static uint64_t bits;
    if (bits) return bits;
    const void *bytes = (const void *)getauxval(AT_RANDOM);
    if (bytes) memcpy(&bits, bytes, sizeof bits);
    return bits;
}

const char *percolate_program_name(void) {
    return program_invocation_short_name ? program_invocation_short_name : "";
}

int64_t percolate_memory_bytes(void) {
    struct sysinfo info;
    if (percolate_syscall6(SYS_sysinfo, (long)&info, 0, 0, 0, 0, 0) != 0) return 0;
    return (int64_t)info.totalram * info.mem_unit;
}

static atomic_int restricted;
/// The thread pointer of the process's first thread, where that one restricted it; else 0.
static uintptr_t first_thread;

static bool is_first_thread(void) {
    if (percolate_is_restricted()) return percolate_thread_pointer() == first_thread;
    return percolate_gettid() == percolate_getpid();
}

int percolate_is_restricted(void) { return atomic_load_explicit(&restricted, memory_order_relaxed); }

void percolate_restrict(void) {
    if (percolate_is_restricted()) return;
    if (is_first_thread()) first_thread = percolate_thread_pointer();
    atomic_store_explicit(&restricted, 1, memory_order_release);
}

/// UNMADE: the program made no thread yet. MADE: the scavenger lives, or could not be made.
/// FORBIDDEN: it has retired, or the parent had threads when it forked this process, so this one
/// makes none that it did not ask for.
enum { UNMADE, MADE, FORBIDDEN };
static atomic_int scavenger_state = UNMADE;

bool percolate_scavenger_claim(void) {
    int expected = UNMADE;
    return atomic_load_explicit(&scavenger_state, memory_order_relaxed) == UNMADE && is_first_thread() &&
           atomic_compare_exchange_strong(&scavenger_state, &expected, MADE);
}

bool percolate_scavenger_retire(void) {
    int expected = MADE;
    return atomic_compare_exchange_strong(&scavenger_state, &expected, FORBIDDEN);
}

static const char no;
const char *percolate_single_threaded = &no;

void percolate_look_up_libc(void) {
    const char *word = percolate_loaded_symbol("__libc_single_threaded", "libc.so.6");
    if (word) percolate_single_threaded = word;
    percolate_dl_find_object =
        (int (*)(void *, void *))percolate_loaded_symbol("_dl_find_object", "libc.so.6");
}

bool percolate_scavenger_is_claimed(void) { return atomic_load(&scavenger_state) == MADE; }
void percolate_scavenger_allow_claim(void) { atomic_store(&scavenger_state, UNMADE); }

__attribute__((weak)) const char *percolate_preset_options(void) { return NULL; }
__attribute__((weak)) const char *percolate_unserved_options(void) { return NULL; }

int percolate_has_started;


/// What pthread_atfork(3) is in glibc: a copy of that function in each library, which calls this.
/// The copy would lie at the end of the code, and every process would have the pages around it
/// mapped.
///
/// Weak: a libc without it is refused with a sentence of our own (`LD_PRELOAD/process.c`).
__attribute__((weak)) extern int __register_atfork(
    void (*prepare)(void), void (*parent)(void), void (*child)(void), void *library);

LIGHT void percolate_register_fork_handlers(void (*prepare)(void), void (*parent)(void), void (*child)(void)) {
#ifdef PERCOLATE_WITHOUT_FORK_HANDLERS
    // A test build: the tests of fork must fail without the handlers.
    (void)prepare, (void)parent, (void)child;
#else
    static atomic_flag done = ATOMIC_FLAG_INIT;
    if (!&__register_atfork || atomic_flag_test_and_set(&done)) return;
    __register_atfork(prepare, parent, child, NULL);
#endif
}

int64_t percolate_thread_cpu_time(int thread) {
    struct timespec time;
    // The number of the clock of a thread of this process, as pthread_getcpuclockid(3) makes it.
    clockid_t clock = (clockid_t)(~(unsigned)thread << 3 | 6);
    if (percolate_syscall6(SYS_clock_gettime, clock, (long)&time, 0, 0, 0, 0) != 0) return -1;
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/// In a process that restricts its system calls the kernel is not asked for the number: the
/// thread's own address tells it from others. Such numbers are above every number of the kernel,
/// and below the highest bit, which locks use.
enum { MADE_NUMBER = 1 << 30 };

uint32_t percolate_new_thread_number(void) {
    if (!percolate_is_restricted()) return (uint32_t)percolate_gettid();
    return MADE_NUMBER | (uint32_t)(percolate_thread_pointer() >> 12 & (MADE_NUMBER - 1));
}

/// A thread of which the kernel does not say that it is gone counts as there.
bool percolate_thread_exists(int thread) {
    if (percolate_is_restricted()) return true;
    return percolate_syscall6(SYS_tgkill, percolate_getpid(), thread, 0, 0, 0, 0) != -ESRCH;
}

static uint32_t unwiped_mark = 1;
uint32_t *percolate_process_mark = &unwiped_mark;

bool percolate_mark_is_kept(void) { return percolate_process_mark == &unwiped_mark; }

void percolate_place_mark(void) {
    long page = percolate_mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
    if (page > 0 && percolate_madvise((uintptr_t)page, 4096, MADV_WIPEONFORK) != 0) {
        percolate_munmap((uintptr_t)page, 4096);
        page = -1;
    }
    uint32_t *mark = page > 0 ? (uint32_t *)page : &unwiped_mark;
    *mark = (uint32_t)percolate_getpid();
    percolate_process_mark = mark;
}

__attribute__((aligned(64)))
struct percolate_word_line percolate_fork_gate[PERCOLATE_FORK_GATE_LINES];

bool percolate_process_memory(uint64_t *resident, uint64_t *mapped) {
    char text[128];
    long descriptor = percolate_open("/proc/self/statm", O_RDONLY, 0);
    if (descriptor < 0) return false;
    long count = percolate_read((int)descriptor, text, sizeof text);
    percolate_close((int)descriptor);
    uint64_t pages[2] = {0, 0};
    int number = 0;
    for (long position = 0; position < count && number < 2; position++) {
        if (text[position] == ' ') number++;
        else pages[number] = pages[number] * 10 + (uint64_t)(text[position] - '0');
    }
    if (number < 2) return false;
    uint64_t page = percolate_auxiliary(AT_PAGESZ);
    *mapped = pages[0] * page;
    *resident = pages[1] * page;
    return true;
}

const char *percolate_error_text(int error) {
    // glibc 2.32. Neither translates nor allocates, as strerror(3) may.
    const char *(*description)(int) = (const char *(*)(int))percolate_loaded_symbol("strerrordesc_np", "libc.so.6");
    return description ? description(error) : NULL;
}

__attribute__((weak)) bool percolate_serves_malloc(void) { return false; }

static uintptr_t first_program_break;

static uintptr_t program_break(void) { return (uintptr_t)percolate_syscall6(SYS_brk, 0, 0, 0, 0, 0, 0); }

void percolate_note_program_break(void) { first_program_break = program_break(); }

bool percolate_is_in_libc_heap(uintptr_t address) {
    return first_program_break != 0 && address >= first_program_break && address < program_break();
}
