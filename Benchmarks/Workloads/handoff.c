// Hand-off (the shape of xmalloc-test): every thread allocates batches for whoever comes next and frees batches that
// others allocated, over one shared list.
#include "workload.h"

enum { batch = 120 };
struct parcel {
    struct parcel *next;
    void *blocks[batch];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct parcel *list;
static uint64_t threads, operations;

static void *body(void *index) {
    struct random_source source = random_seeded((uintptr_t)index);
    for (uint64_t done = 0; done < operations / threads; done += batch) {
        struct parcel *parcel = malloc(sizeof *parcel);
        for (int i = 0; i < batch; i++) parcel->blocks[i] = allocate_written(random_between(&source, 16, 256));
        pthread_mutex_lock(&lock);
        struct parcel *other = list;
        // Exchange, so that at most one parcel per thread waits and the live set stays bounded.
        if (other != NULL) {
            list = other->next;
            parcel->next = list;
        } else {
            parcel->next = NULL;
        }
        list = parcel;
        pthread_mutex_unlock(&lock);
        if (other == NULL) continue;
        for (int i = 0; i < batch; i++) free(other->blocks[i]);
        free(other);
    }
    return NULL;
}

int main(int argc, char **argv) {
    workload_begin(argc, argv);
    threads = workload_argument("threads", 4);
    operations = workload_amount("operations", 60000000);
    workload_arguments_end();
    run_threads(threads, body);
    while (list != NULL) {
        struct parcel *next = list->next;
        for (int i = 0; i < batch; i++) free(list->blocks[i]);
        free(list);
        list = next;
    }
}
