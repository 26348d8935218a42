// One way: one half of the threads only allocates, the other half only frees. Blocks travel in
// large batches on one bounded queue, so that memory goes from the freeing side back to the
// allocating side by the allocator alone.
#include "workload.h"

enum { batch = 1000 };
struct parcel {
    void *blocks[batch];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct parcel *ring;
static uint64_t threads, operations, room, most, put, taken;

static uint64_t batches(void) { return operations / (threads / 2) / batch; }

static void produce(uint64_t index, struct parcel *parcel) {
    struct random_source source = random_seeded(index);
    for (uint64_t i = 0; i < batches(); i++) {
        for (int j = 0; j < batch; j++) parcel->blocks[j] = allocate_written(random_between(&source, 16, most));
        pthread_mutex_lock(&lock);
        while (put - taken == room) pthread_cond_wait(&changed, &lock);
        ring[put++ % room] = *parcel;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&lock);
    }
}

static void consume(struct parcel *parcel) {
    for (uint64_t i = 0; i < batches(); i++) {
        pthread_mutex_lock(&lock);
        while (put == taken) pthread_cond_wait(&changed, &lock);
        *parcel = ring[taken++ % room];
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&lock);
        for (int j = 0; j < batch; j++) free(parcel->blocks[j]);
    }
}

static void *body(void *argument) {
    uint64_t index = (uintptr_t)argument;
    struct parcel *parcel = table(1, sizeof *parcel);
    if (index % 2 == 0) produce(index, parcel);
    else consume(parcel);
    return NULL;
}

int main(int argc, char **argv) {
    workload_begin(argc, argv);
    threads = workload_argument("threads", 4);
    operations = workload_amount("operations", 16000000);
    room = workload_argument("room", 16);
    most = workload_argument("most", 256);
    workload_arguments_end();
    if (threads < 2 || threads % 2 != 0) workload_fail("threads must be even");
    ring = table(room, sizeof *ring);
    run_threads(threads, body);
}
