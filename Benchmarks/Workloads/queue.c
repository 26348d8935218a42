// Producer to consumer: half of the threads allocate, each for one consumer that frees. Blocks travel in batches of 64 on
// a bounded queue, so that the lock's cost does not hide the allocator's.
#include "workload.h"

enum { batch = 64, room = 8 };

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t put, taken;
    void *blocks[room][batch];
};

static struct queue *queues;
static uint64_t threads, operations, most;

static uint64_t batches(void) { return operations / (threads / 2) / batch; }

static void *produce(struct queue *queue, uint64_t index) {
    struct random_source source = random_seeded(index);
    for (uint64_t i = 0; i < batches(); i++) {
        void *blocks[batch];
        for (int j = 0; j < batch; j++) blocks[j] = allocate_written(random_between(&source, 16, most));
        pthread_mutex_lock(&queue->lock);
        while (queue->put - queue->taken == room) pthread_cond_wait(&queue->changed, &queue->lock);
        memcpy(queue->blocks[queue->put++ % room], blocks, sizeof blocks);
        pthread_cond_signal(&queue->changed);
        pthread_mutex_unlock(&queue->lock);
    }
    return NULL;
}

static void *consume(struct queue *queue) {
    for (uint64_t i = 0; i < batches(); i++) {
        void *blocks[batch];
        pthread_mutex_lock(&queue->lock);
        while (queue->put == queue->taken) pthread_cond_wait(&queue->changed, &queue->lock);
        memcpy(blocks, queue->blocks[queue->taken++ % room], sizeof blocks);
        pthread_cond_signal(&queue->changed);
        pthread_mutex_unlock(&queue->lock);
        for (int j = 0; j < batch; j++) free(blocks[j]);
    }
    return NULL;
}

static void *body(void *argument) {
    uint64_t index = (uintptr_t)argument;
    struct queue *queue = &queues[index / 2];
    return index % 2 == 0 ? produce(queue, index) : consume(queue);
}

int main(int argc, char **argv) {
    workload_begin(argc, argv);
    threads = workload_argument("threads", 2);
    operations = workload_amount("operations", 16000000);
    most = workload_argument("most", 512);
    workload_arguments_end();
    if (threads < 2 || threads % 2 != 0) workload_fail("threads must be even");
    queues = table(threads / 2, sizeof *queues);
    for (uint64_t i = 0; i < threads / 2; i++) {
        pthread_mutex_init(&queues[i].lock, NULL);
        pthread_cond_init(&queues[i].changed, NULL);
    }
    run_threads(threads, body);
}
