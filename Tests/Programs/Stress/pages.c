/// What lies between blocks and the kernel: how long it takes, what stays resident, and that
/// nothing is refused while there is room.
///
///     pages many COUNT SIZE ascending|descending|random
///     pages sparse KIBIBYTES COUNT
///     pages waves SIZE MEBIBYTES COUNT REST
///     pages frames
///     pages again MEBIBYTES ROUNDS
///     pages limit_later MEBIBYTES
///     pages filter
///     pages refill MEBIBYTES
#include "resident.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static double cpu_seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static long resident_kib(void) {
    return resident_pages() * (sysconf(_SC_PAGESIZE) / 1024);
}

static void shuffle(char **blocks, size_t count) {
    struct random random = {7};
    for (size_t i = count - 1; i > 0; i--) {
        size_t j = random_next(&random) % (i + 1);
        char *kept = blocks[i];
        blocks[i] = blocks[j];
        blocks[j] = kept;
    }
}

/// CPU seconds to free so many blocks of which one page each is touched.
static double free_many(size_t count, size_t size, const char *order) {
    char **blocks = malloc(count * sizeof *blocks);
    CHECK(blocks != NULL);
    for (size_t i = 0; i < count; i++) {
        blocks[i] = malloc(size);
        CHECK(blocks[i] != NULL);
        blocks[i][0] = 1;
    }
    if (strcmp(order, "random") == 0) shuffle(blocks, count);
    double start = cpu_seconds();
    bool descends = strcmp(order, "descending") == 0;
    for (size_t i = 0; i < count; i++) free(blocks[descends ? count - 1 - i : i]);
    double took = cpu_seconds() - start;
    free(blocks);
    return took;
}

/// Four times as many blocks take at most eight times as long: a cost that grows with the heap
/// takes sixteen times.
static void many(size_t count, size_t size, const char *order) {
    free_many(count, size, order);
    double few = free_many(count, size, order);
    double more = free_many(4 * count, size, order);
    if (more > 8 * few + 0.05) fail("%zu blocks take %.3f s, four times as many %.3f s", count, few, more);
    if (resident_kib() > 80 << 10) fail("%ld KiB stay", resident_kib());
}

/// Of zeroed blocks only what is touched is resident, whatever was in their memory before.
static void sparse(size_t size, int count) {
    char **blocks = calloc((size_t)count, sizeof *blocks);
    CHECK(blocks != NULL);
    long before = resident_kib(), most = 0;
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < count; i++) {
            blocks[i] = calloc(1, size);
            CHECK(blocks[i] != NULL);
            for (size_t at = 0; at < size; at += size / 4) CHECK(blocks[i][at] == 0 && blocks[i][at + size / 4 - 1] == 0);
            // Every second round leaves all of it dirty.
            if (round % 2 == 1) memset(blocks[i], 1, size);
            blocks[i][0] = 1;
        }
        if (round % 2 == 0) most = resident_kib() > most ? resident_kib() : most;
        for (int i = 0; i < count; i++) free(blocks[i]);
    }
    // The checks read a page in each quarter, which the kernel serves by its page of zeros or by
    // one of its own.
    long allowed = before + (long)count * 9 * 4 + 8192;
    if (most > allowed) fail("%ld KiB were resident, at most %ld may be", most, allowed);
}

/// A heap that was filled and emptied some times is small afterwards, with nobody to tidy up.
static void waves(size_t size, size_t mebibytes, int count, unsigned rest) {
    size_t blocks = (mebibytes << 20) / size;
    char **block = malloc(blocks * sizeof *block);
    CHECK(block != NULL);
    long peak = 0;
    for (int wave = 0; wave < count; wave++) {
        for (size_t i = 0; i < blocks; i++) {
            block[i] = malloc(size);
            CHECK(block[i] != NULL);
            for (size_t at = 0; at < size; at += 4096) block[i][at] = 1;
        }
        peak = resident_kib();
        for (size_t i = 0; i < blocks; i++) free(block[i]);
        usleep(rest);
    }
    if (resident_kib() > peak / 4) fail("%ld KiB stay of a peak of %ld", resident_kib(), peak);
}

/// Buffers that are freed and allocated for each frame keep their pages.
static void frames(void) {
    size_t size = 40000000;
    struct rusage before, after;
    for (int frame = 0; frame < 13; frame++) {
        if (frame == 3) getrusage(RUSAGE_SELF, &before);
        char *first = malloc(size), *second = malloc(size);
        CHECK(first != NULL && second != NULL);
        for (size_t at = 0; at < size; at += 4096) first[at] = second[at] = 1;
        free(first);
        free(second);
        usleep(16000);
    }
    getrusage(RUSAGE_SELF, &after);
    long faults = after.ru_minflt - before.ru_minflt;
    if (faults > 10 * 2 * 9766 / 10) fail("%ld page faults in ten frames", faults);
}

static void *idle(void *unused) {
    pause();
    return unused;
}

/// A block that nearly fills what there is can be had again while its pages go back to the kernel.
static void again(size_t size, int rounds) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, idle, NULL) == 0);
    for (int round = 0; round < rounds; round++) {
        char *block = malloc(size);
        if (block == NULL) fail("round %d: no memory, and nothing is in use", round);
        memset(block, 1, size);
        long full = resident_kib();
        free(block);
        for (int waited = 0; waited < 30000 && resident_kib() > full - 2400; waited++) usleep(100);
    }
}

static void *work(void *unused) {
    static const int count = 1000;
    void **blocks = malloc((size_t)count * sizeof *blocks);
    CHECK(blocks != NULL);
    for (int round = 0; round < 60; round++) {
        for (int i = 0; i < count; i++) {
            blocks[i] = malloc((size_t)(16 + (i * 37 + round) % 3000));
            CHECK(blocks[i] != NULL);
            memset(blocks[i], 1, 16);
        }
        for (int i = 0; i < count; i++) free(blocks[i]);
    }
    for (int i = 0; i < 20; i++) {
        char *block = malloc(1 << 20);
        CHECK(block != NULL);
        memset(block, 1, 1 << 20);
        block = realloc(block, 3 << 20);
        CHECK(block != NULL);
        free(block);
    }
    free(calloc(1, 5 << 20));
    free(blocks);
    return unused;
}

/// A limit of addresses that comes after start counts what is used, and holds.
static void limit_later(size_t mebibytes) {
    void *first = malloc(100);
    CHECK(first != NULL);
    struct rlimit limit = {mebibytes << 20, mebibytes << 20};
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    pthread_t thread;
    if (pthread_create(&thread, NULL, work, NULL) != 0) fail("no thread");
    pthread_join(thread, NULL);
    void *mapping = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED) fail("no mapping");
    char *share = malloc(mebibytes / 4 << 20);
    if (share == NULL) fail("a quarter of the limit was refused");
    memset(share, 1, mebibytes / 4 << 20);
    free(share);
    char *block = malloc(2 * mebibytes << 20);
    if (block != NULL) fail("the limit does not hold");
    size_t sum = 0;
    while ((block = malloc(3 << 20)) != NULL && sum <= mebibytes << 20) sum += 3 << 20;
    if (sum > mebibytes << 20) fail("%zu bytes under a limit of %zu MiB", sum, mebibytes);
    pid_t child = fork();
    if (child == 0) _exit(malloc(1000) != NULL ? 0 : 1);
    int status;
    CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    free(first);
}

#define ALLOW(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/// A filter that ends the process for every system call that glibc's malloc and pthread_create do
/// not make.
static void filter(void) {
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(SYS_brk), ALLOW(SYS_mmap), ALLOW(SYS_munmap), ALLOW(SYS_mprotect), ALLOW(SYS_madvise),
        ALLOW(SYS_mremap), ALLOW(SYS_futex), ALLOW(SYS_write), ALLOW(SYS_exit), ALLOW(SYS_exit_group),
        ALLOW(SYS_clone3), ALLOW(SYS_clone), ALLOW(SYS_set_robust_list), ALLOW(SYS_rseq),
        ALLOW(SYS_rt_sigprocmask), ALLOW(SYS_rt_sigaction), ALLOW(SYS_clock_nanosleep), ALLOW(SYS_newfstatat),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0);
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) CHECK(pthread_create(&threads[i], NULL, work, NULL) == 0);
    work(NULL);
    for (int i = 0; i < 8; i++) pthread_join(threads[i], NULL);
    // The scavenger has its ticks.
    struct timespec second = {1, 200000000};
    nanosleep(&second, NULL);
    work(NULL);
}

/// Fills so much, frees it block by block, and fills it again in other sizes, some times: what is
/// free never makes the process larger.
static void refill(size_t mebibytes) {
    static const size_t sizes[] = {300000, 5000, 2000000, 70000, 900};
    size_t room = (mebibytes << 20) / 900, count = 0;
    char **blocks = mmap(NULL, room * sizeof *blocks, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(blocks != MAP_FAILED);
    for (int round = 0; round < 5; round++) {
        size_t size = sizes[round];
        for (size_t sum = 0; sum + size <= mebibytes << 20; sum += size) {
            blocks[count] = malloc(size);
            if (blocks[count] == NULL) fail("round %d: no memory", round);
            memset(blocks[count], 1, size);
            count++;
        }
        if (count > 1) shuffle(blocks, count);
        while (count > 0) free(blocks[--count]);
    }
}

int main(int argc, char **argv) {
    CHECK(argc > 1);
    const char *kind = argv[1];
    size_t number[4] = {0};
    for (int i = 2; i < argc && i < 6; i++) number[i - 2] = strtoul(argv[i], NULL, 10);
    if (strcmp(kind, "many") == 0) many(number[0], number[1], argv[4]);
    else if (strcmp(kind, "sparse") == 0) sparse(number[0] << 10, (int)number[1]);
    else if (strcmp(kind, "waves") == 0) waves(number[0], number[1], (int)number[2], (unsigned)number[3]);
    else if (strcmp(kind, "frames") == 0) frames();
    else if (strcmp(kind, "again") == 0) again(number[0] << 20, (int)number[1]);
    else if (strcmp(kind, "limit_later") == 0) limit_later(number[0]);
    else if (strcmp(kind, "filter") == 0) filter();
    else if (strcmp(kind, "refill") == 0) refill(number[0]);
    else fail("no such kind: %s", kind);
    static const char passed[] = "pages: passed\n";
    CHECK(write(STDOUT_FILENO, passed, sizeof passed - 1) > 0);
    return 0;
}
