/// A program that registers restartable sequences itself, in threads that Percolate has registered
/// before, and gives them up again. It allocates before, meanwhile and afterwards.
///
/// Run it with GLIBC_TUNABLES=glibc.pthread.rseq=0.
#include "check.h"

enum { signature = 0x53053053, unregister = 1, allocations = 20000 };

struct area {
    uint32_t cpu_id_start;
    int32_t cpu_id;
    uint64_t section;
    uint32_t flags, node_id;
    int32_t mm_cid;
    uint32_t padding;
} __attribute__((aligned(32)));

static __thread struct area own, other;

static void allocate(void) {
    for (size_t i = 0; i < allocations; i++) {
        size_t size = 1 + i % 3000;
        unsigned char *block = malloc(size);
        CHECK(block != NULL);
        block[0] = block[size - 1] = 1;
        free(block);
    }
}

static void *work(void *unused) {
    (void)unused;
    for (int round = 0; round < 3; round++) {
        allocate();
        CHECK(syscall(SYS_rseq, &own, sizeof own, 0, signature) == 0);
        allocate();
        CHECK(own.cpu_id >= 0 && own.cpu_id < CPU_SETSIZE);
        // As the kernel says it to anybody: one area for each thread.
        CHECK(syscall(SYS_rseq, &own, sizeof own, 0, signature) == -1 && errno == EBUSY);
        CHECK(syscall(SYS_rseq, &other, sizeof other, 0, signature) == -1 && errno == EINVAL);
        CHECK(syscall(SYS_rseq, &own, sizeof own, unregister, signature) == 0);
        CHECK(own.cpu_id == -1);
    }
    // What the kernel refuses changes nothing.
    allocate();
    CHECK(syscall(SYS_rseq, (char *)&own + 1, sizeof own, 0, signature) == -1 && errno == EINVAL);
    allocate();
    CHECK(syscall(SYS_getpid) == getpid());
    CHECK(syscall(SYS_close, -1) == -1 && errno == EBADF);
    return NULL;
}

int main(void) {
    watch("registering restartable sequences", 140);
    pthread_t threads[3];
    work(NULL);
    for (int i = 0; i < 3; i++) CHECK_ZERO(pthread_create(&threads[i], NULL, work, NULL));
    for (int i = 0; i < 3; i++) CHECK_ZERO(pthread_join(threads[i], NULL));
    printf("own_rseq: registered and given up\n");
    return 0;
}
