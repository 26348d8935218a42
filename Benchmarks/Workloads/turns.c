// Threads take turns: one at a time allocates `megabytes` of small blocks and frees them all. The live set never exceeds
// one thread's, so memory that follows threads shows as resident memory that grows with their number.
#include "workload.h"

static uint64_t threads, megabytes, rounds;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t *turn;
static uint64_t current;

static void work(struct random_source *source, void **blocks, uint64_t room) {
    uint64_t count = 0;
    for (uint64_t bytes = 0; bytes < megabytes << 20 && count < room; count++) {
        size_t size = random_program_size(source);
        blocks[count] = allocate_written(size);
        bytes += size;
    }
    for (uint64_t i = 0; i < count; i++) free(blocks[i]);
}

static void **blocks;

static void *body(void *argument) {
    uint64_t index = (uintptr_t)argument;
    struct random_source source = random_seeded(index);
    for (uint64_t round = 0; round < rounds; round++) {
        pthread_mutex_lock(&lock);
        while (current != index) pthread_cond_wait(&turn[index], &lock);
        work(&source, blocks, (megabytes << 20) / 32);
        current = (index + 1) % threads;
        pthread_cond_signal(&turn[current]);
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

int main(int argc, char **argv) {
    workload_begin(argc, argv);
    threads = workload_argument("threads", 64);
    megabytes = workload_argument("megabytes", 4);
    rounds = workload_amount("rounds", 10);
    workload_arguments_end();
    turn = table(threads, sizeof *turn);
    blocks = table((megabytes << 20) / 32, sizeof(void *));
    for (uint64_t i = 0; i < threads; i++) pthread_cond_init(&turn[i], NULL);
    run_threads(threads, body);
    mark("end");
}
