// Each function of the interface as the first thing that a process does with its heap: its answer,
// and what the heap does afterwards, are those of a heap that runs already.
//
//     first_call                  every call, before `main`, in it, and after allocations
//     first_call CALL WHEN        one: prints the answer
#define PERCOLATE_HEAP_IS_OPTIONAL
#include "check.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <percolate/heap.h>
#include <percolate/heap_interface.h>
#include <percolate/percpu_epoch.h>
#include <percolate/percpu_pool.h>

#pragma weak percolate_cpu_count
#pragma weak percolate_has_mm_cid
#pragma weak percolate_running_cpu
#pragma weak percolate_cpu_opv
#pragma weak percpu_pool_create
#pragma weak percpu_pool_allocate
#pragma weak percpu_pool_destroy
#pragma weak percolate_heap_interface
extern const struct percolate_heap_interface percolate_heap_interface;
#pragma weak mallctl
int mallctl(const char *, void *, size_t *, void *, size_t);
#pragma weak nallocx
size_t nallocx(size_t, int);
#pragma weak mallocx
void *mallocx(size_t, int);
#pragma weak malloc_stats_print
void malloc_stats_print(void (*)(void *, const char *), void *, const char *);

// A compiler leaves out a block that nobody sees.
static void *volatile seen;
static void allocate_one(size_t size) {
    seen = malloc(size);
    free(seen);
}

static long ask(const char *name) {
    unsigned char value[8] = {0};
    size_t size = sizeof value;
    if (mallctl(name, value, &size, NULL, 0) != 0) return -1;
    long result = 0;
    memcpy(&result, value, size);
    return result;
}

static long tell(const char *name, const void *value, size_t size) {
    return mallctl(name, NULL, NULL, (void *)value, size);
}

static long give_back(void *block) {
    seen = block;
    free(block);
    return block != NULL;
}

static void ignore_text(void *context, const char *text) { (void)context, (void)text; }
static int count_site(const struct percolate_heap_site *site, void *count) { return (void)site, ++*(int *)count, 0; }
static int count_sample(const struct percolate_heap_sample *sample, void *count) { return (void)sample, ++*(int *)count, 0; }
static void *nothing(void *argument) { return argument; }

static long visited(bool sites) {
    int count = 0;
    return sites ? percolate_heap_visit_sites(count_site, &count) : percolate_heap_visit_samples(count_sample, &count);
}

static long call_figures(void) {
    struct percolate_process_figures figures;
    percolate_heap_figures(&figures, sizeof figures);
    return figures.mode + figures.index * 10 + figures.registration * 100 + (figures.reserved > 0) * 1000
           + (figures.memory_limit != UINT64_MAX) * 10000 + (figures.metadata > 0) * 100000;
}
static long call_classes(void) { return (long)percolate_heap_class_figures(NULL, 0, 0); }
static long call_cpus(void) { return (long)percolate_heap_cpu_figures(NULL, 0, 0); }
static long call_statistics(void) { return percolate_heap_write_statistics(2, 1); }
static long call_trim(void) { return percolate_heap_trim() >= 0; }
static long call_limit(void) {
    percolate_heap_set_limit(64 << 20);
    return give_back(malloc(256 << 20));
}
static long call_soft_limit(void) { return percolate_heap_set_soft_limit(1 << 20), 0; }
static long call_counting(void) {
    struct percolate_counting_scope scope;
    percolate_heap_begin_counting(&scope);
    allocate_one(100);
    percolate_heap_end_counting(&scope);
    return (long)(scope.allocations * 10 + scope.deallocations);
}
static long call_start_profile(void) { return percolate_heap_start_profile(8192); }
static long call_stop_profile(void) { return percolate_heap_stop_profile(), 0; }
static long call_profile_mean(void) { return (long)percolate_heap_profile_mean(); }
static long call_lost_samples(void) { return (long)percolate_heap_lost_samples(); }
static long call_visit_sites(void) { return visited(true); }
static long call_visit_samples(void) { return visited(false); }
static long call_heap_allocate(void) { return give_back(percolate_heap_allocate(64, 100)); }
static long call_heap_zeroed(void) { return give_back(percolate_heap_allocate_zeroed(64, 100)); }
static long call_heap_reallocate(void) { return give_back(percolate_heap_reallocate(NULL, 100)); }
static long call_heap_deallocate(void) { return percolate_heap_deallocate(NULL), 0; }
static long call_heap_deallocate_sized(void) { return percolate_heap_deallocate_sized(NULL, 16, 0), 0; }
static long call_block_size(void) { return (long)percolate_heap_block_size(NULL); }
static long call_serves(void) { return percolate_heap_serves_malloc(); }
static long call_harden(void) { return percolate_harden(1); }
static long call_set_sampling(void) { return percolate_heap_interface.set_sampling(8192, 65536); }
static long call_usable_size(void) { return (long)malloc_usable_size(NULL); }
static long call_malloc_trim(void) { return malloc_trim(0) >= 0; }
static long call_mallinfo(void) { return mallinfo().ordblks; }
static long call_mallinfo2(void) { return (long)mallinfo2().ordblks; }
static long call_mallopt(void) { return mallopt(M_MXFAST, 64); }
static long call_stats(void) { return malloc_stats(), 0; }
static long call_info(void) { return malloc_info(0, stderr); }
static long call_stats_print(void) { return malloc_stats_print(ignore_text, NULL, NULL), 0; }
static long call_nallocx(void) { return (long)nallocx(100, 0); }
static long call_mallocx(void) { return give_back(mallocx(100, 0)); }
static long call_prof_active(void) { return ask("prof.active"); }
static long call_prof_mean(void) { return ask("prof.lg_sample"); }
static long call_prof_reset(void) {
    size_t power = 13;
    return tell("prof.reset", &power, sizeof power);
}
static long call_prof_on(void) {
    bool on = true;
    return tell("prof.active", &on, sizeof on);
}
static long call_prof_off(void) {
    bool on = false;
    return tell("prof.active", &on, sizeof on);
}
static long call_opt_active(void) { return ask("opt.prof_active"); }
static long call_opt_mean(void) { return ask("opt.lg_prof_sample"); }
static long call_opt_decay(void) { return ask("opt.dirty_decay_ms"); }
static long call_opt_background(void) { return ask("opt.background_thread"); }
static long call_opt_caches(void) { return ask("opt.tcache"); }
static long call_decay(void) { return ask("arena.0.dirty_decay_ms"); }
static long call_background(void) { return ask("background_thread"); }
static long call_no_background(void) {
    bool on = false;
    tell("background_thread", &on, sizeof on);
    return ask("background_thread");
}
static long call_no_decay(void) {
    ssize_t never = -1;
    tell("arena.0.dirty_decay_ms", &never, sizeof never);
    return ask("arena.0.dirty_decay_ms");
}
static long call_bins(void) { return ask("arenas.nbins"); }
static long call_bin_size(void) { return ask("arenas.bin.3.size"); }
static long call_allocated(void) { return ask("stats.allocated") >= 0; }
static long call_requests(void) { return ask("stats.arenas.0.small.nrequests") >= 0; }
static long call_epoch(void) { return ask("epoch") >= 0; }
static long call_purge(void) { return tell("arena.0.purge", NULL, 0); }
static long call_unknown(void) { return ask("no.such.name"); }
static long call_free(void) { return free(NULL), 0; }
static long call_realloc(void) { return give_back(realloc(NULL, 100)); }
static long call_calloc(void) { return give_back(calloc(10, 10)); }
static long call_too_much(void) { return give_back(malloc((size_t)PTRDIFF_MAX + 1)); }
static long call_aligned(void) { return give_back(aligned_alloc(64, 100)); }
static long call_memalign(void) {
    void *block = NULL;
    return posix_memalign(&block, 65536, 100) == 0 && give_back(block);
}
static long call_valloc(void) { return give_back(valloc(100)); }
static long call_large(void) { return give_back(malloc(8 << 20)); }
static long call_cpu_count(void) { return percolate_cpu_count(); }
static long call_has_mm_cid(void) { return percolate_has_mm_cid(); }
static long call_running_cpu(void) { return percolate_running_cpu() >= 0; }
static long call_vector(void) { return percolate_cpu_opv(NULL, 0, 0, 0); }
static long call_pool(void) {
    struct percpu_pool *pool = percpu_pool_create(64, 0, PERCPU_CPU_ID);
    long result = pool != NULL && percpu_pool_allocate(pool) != NULL;
    if (pool) percpu_pool_destroy(pool);
    return result;
}
static long call_thread(void) {
    pthread_t thread;
    return pthread_create(&thread, NULL, nothing, NULL) + pthread_join(thread, NULL);
}
static long call_fork(void) {
    pid_t child = fork();
    if (child == 0) _exit(7);
    int status;
    return waitpid(child, &status, 0) == child ? WEXITSTATUS(status) : -1;
}
static long call_vfork(void) {
    pid_t child = vfork();
    if (child == 0) _exit(7);
    int status;
    return waitpid(child, &status, 0) == child ? WEXITSTATUS(status) : -1;
}
static long call_setrlimit(void) {
    struct rlimit limit = {(rlim_t)1 << 33, (rlim_t)1 << 33};
    return setrlimit(RLIMIT_AS, &limit);
}
static long call_prctl(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }
static long call_syscall(void) { return syscall(SYS_getpid) == getpid(); }

#define CALL(name) {#name, call_##name}
static const struct call {
    const char *name;
    long (*function)(void);
} calls[] = {
    CALL(figures), CALL(classes), CALL(cpus), CALL(statistics), CALL(trim), CALL(limit),
    CALL(soft_limit), CALL(counting), CALL(start_profile), CALL(stop_profile), CALL(profile_mean),
    CALL(lost_samples), CALL(visit_sites), CALL(visit_samples), CALL(heap_allocate),
    CALL(heap_zeroed), CALL(heap_reallocate), CALL(heap_deallocate), CALL(heap_deallocate_sized),
    CALL(block_size), CALL(serves), CALL(harden), CALL(set_sampling), CALL(usable_size),
    CALL(malloc_trim), CALL(mallinfo), CALL(mallinfo2), CALL(mallopt), CALL(stats), CALL(info),
    CALL(stats_print), CALL(nallocx), CALL(mallocx), CALL(prof_active), CALL(prof_mean),
    CALL(prof_reset), CALL(prof_on), CALL(prof_off), CALL(opt_active), CALL(opt_mean),
    CALL(opt_decay), CALL(opt_background), CALL(opt_caches), CALL(decay), CALL(background),
    CALL(no_background), CALL(no_decay), CALL(bins), CALL(bin_size), CALL(allocated),
    CALL(requests), CALL(epoch), CALL(purge), CALL(unknown), CALL(free), CALL(realloc),
    CALL(calloc), CALL(too_much), CALL(aligned), CALL(memalign), CALL(valloc), CALL(large),
    CALL(cpu_count), CALL(has_mm_cid), CALL(running_cpu), CALL(vector), CALL(pool), CALL(thread),
    CALL(fork), CALL(vfork), CALL(setrlimit), CALL(prctl), CALL(syscall),
};
enum { call_count = sizeof calls / sizeof calls[0] };

// The answer, and how the heap is afterwards.
static void answer(const char *name) {
    for (int number = 0; number < call_count; number++) {
        if (strcmp(calls[number].name, name) != 0) continue;
        long result = calls[number].function();
        allocate_one(100);
        struct percolate_process_figures figures;
        percolate_heap_figures(&figures, sizeof figures);
        const struct percolate_samples *samples = percolate_heap_interface.samples;
        say("%ld, mode %d, limit %llx, release %d, sampled %llu, guarded %llu", result, (int)figures.mode,
            (unsigned long long)figures.memory_limit, (int)figures.release, (unsigned long long)samples->rate,
            (unsigned long long)samples->guard_rate);
        _exit(0);
    }
    _exit(2);
}

// Before the constructors of all libraries, and when none has allocated.
static void before_all(int argc, char **argv, char **environment) {
    (void)environment;
    if (argc == 3 && strcmp(argv[2], "preinit") == 0) answer(argv[1]);
}
__attribute__((section(".preinit_array"), used)) static void (*const preinit)(int, char **, char **) = before_all;

static void run_call(const char *name, const char *when, char *line, size_t size) {
    int ends[2];
    REQUIRE(pipe(ends) == 0, "a pipe");
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, 2);
        dup2(ends[1], 1);
        execl("/proc/self/exe", "first_call", name, when, NULL);
        _exit(3);
    }
    close(ends[1]);
    size_t length = 0;
    for (ssize_t got; length + 1 < size && (got = read(ends[0], line + length, size - 1 - length)) > 0;)
        length += (size_t)got;
    line[length] = 0;
    close(ends[0]);
    int status;
    waitpid(child, &status, 0);
    EXPECT(status == 0, "%s, %s, to end well, not with %x", name, when, status);
}

int main(int argc, char **argv) {
    if (argc == 3) {
        if (strcmp(argv[2], "later") == 0)
            for (size_t size = 1; size < 100000; size *= 2) allocate_one(size);
        answer(argv[1]);
    }
    for (int number = 0; number < call_count; number++) {
        const char *name = calls[number].name;
        char later[512], first[512];
        run_call(name, "later", later, sizeof later);
        for (int early = 0; early < 2; early++) {
            const char *when = early ? "preinit" : "main";
            run_call(name, when, first, sizeof first);
            EXPECT(strcmp(first, later) == 0, "of %s, %s, what it says later: %snot %s", name, when, later, first);
        }
    }
    return failures != 0;
}
