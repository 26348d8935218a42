/// Single-steps a process through its allocations, as a debugger does: each step aborts the
/// restartable sequence it falls into, and every call must arrive all the same, within a bounded
/// number of steps.
///
///   step alone|busy [ROUNDS]
///
/// Each round has a malloc and a free, each fifth one also the other operations. `busy`: two other
/// threads of the stepped process allocate, unstepped, at the same time.
#include "check.h"

#include <dlfcn.h>
#include <malloc.h>
#include <sys/ptrace.h>

enum { most_steps = 200000, operation_kinds = 10 };

void free_sized(void *, size_t) __attribute__((weak));

static const char *const names[operation_kinds] = {
    "malloc(64)", "free", "calloc", "realloc", "free of realloc's", "free_sized", "operator new", "operator delete",
    "large malloc and free", "memalign and free",
};

/// Shared by the two processes: which operation the stepped one is in. Odd is within, even between.
static _Atomic uint64_t *position;

static void *(*operator_new)(size_t);
static void (*operator_delete)(void *);

__attribute__((noinline)) static void operation(uint64_t kind, uint64_t round) {
    static void *block, *zeroed, *sized, *created;
    switch (kind) {
    case 0: block = malloc(64); break;
    case 1: free(block); break;
    case 2: zeroed = calloc(3, 100); break;
    case 3: zeroed = realloc(zeroed, 2000); break;
    case 4: free(zeroed); break;
    case 5:
        sized = malloc(48);
        if (free_sized) free_sized(sized, 48); else free(sized);
        break;
    case 6: created = operator_new ? operator_new(128) : malloc(128); break;
    case 7: if (operator_delete) operator_delete(created); else free(created); break;
    case 8: free(malloc(round % 20 == 0 ? 3 << 20 : 300000)); break;
    default: free(memalign(256, 700)); break;
    }
}

static void *allocate(void *argument) {
    (void)argument;
    for (size_t size = 0;; size = (size + 7) % 5000) free(malloc(size));
    return NULL;
}

static void stepped_main(bool busy, uint64_t rounds) {
    *(void **)&operator_new = dlsym(RTLD_DEFAULT, "_Znwm");
    *(void **)&operator_delete = dlsym(RTLD_DEFAULT, "_ZdlPv");
    pthread_t thread;
    for (int i = 0; busy && i < 2; i++) CHECK_ZERO(pthread_create(&thread, NULL, allocate, NULL));
    CHECK(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
    CHECK(raise(SIGSTOP) == 0);
    for (uint64_t i = 0; i < rounds * operation_kinds; i++) {
        atomic_store(position, 2 * i + 1);
        uint64_t kind = i % operation_kinds, round = i / operation_kinds;
        if (kind < 2 || round % 5 == 0) operation(kind, round);
        atomic_store(position, 2 * i + 2);
    }
    _exit(0);
}

int main(int count, char **texts) {
    if (count < 2 || (strcmp(texts[1], "alone") != 0 && strcmp(texts[1], "busy") != 0))
        fail("step alone|busy [ROUNDS]");
    uint64_t rounds = count > 2 ? number_argument(texts[2]) : 100;
    watch("single-stepping through allocations", 280);
    position = map_zeroed(sizeof *position, true);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) stepped_main(strcmp(texts[1], "busy") == 0, rounds);
    int status;
    CHECK(waitpid(child, &status, __WALL) == child && WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    CHECK(ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_EXITKILL) == 0);
    uint64_t last = 0, steps = 0, all = 0, most[operation_kinds] = {0};
    for (;;) {
        CHECK(ptrace(PTRACE_SINGLESTEP, child, 0, 0) == 0);
        CHECK(waitpid(child, &status, __WALL) == child);
        if (!WIFSTOPPED(status)) break;
        if (WSTOPSIG(status) != SIGTRAP) fail("stepped process stopped by signal %d", WSTOPSIG(status));
        uint64_t now = atomic_load(position);
        all++;
        steps = now == last ? steps + 1 : 0;
        last = now;
        if (now % 2 == 0) continue;
        uint64_t kind = now / 2 % operation_kinds;
        if (steps > most[kind]) most[kind] = steps;
        if (steps > most_steps) fail("%s has not arrived after %d steps", names[kind], (int)most_steps);
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) fail("stepped process ended with status %x", status);
    if (atomic_load(position) != 2 * rounds * operation_kinds) fail("stepped process ended early");
    printf("step: %llu rounds of %d operations arrived\n", (unsigned long long)rounds, (int)operation_kinds);
    fprintf(stderr, "%llu steps; most in one", (unsigned long long)all);
    for (int i = 0; i < operation_kinds; i++)
        fprintf(stderr, "%s %s %llu", i ? "," : "", names[i], (unsigned long long)most[i]);
    fprintf(stderr, "\n");
    return 0;
}
