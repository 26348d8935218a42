// Per-thread slots (the shape of glibc's malloc thread test): each thread fills and empties random slots, with sizes whose
// frequency falls with the inverse of the square.
#include "workload.h"

static uint64_t threads, slots, operations;

static size_t inverse_square_size(struct random_source *source) {
    uint64_t draw = random_between(source, 1, 1 << 16);
    uint64_t size = 16 + (1 << 20) / (draw + 16);
    return size < 32768 ? size : 32768;
}

static void *body(void *index) {
    struct random_source source = random_seeded((uintptr_t)index);
    void **blocks = table(slots, sizeof(void *));
    for (uint64_t done = 0; done < operations / threads; done++) {
        uint64_t at = random_below(&source, slots);
        if (blocks[at] == NULL) {
            blocks[at] = allocate_written(inverse_square_size(&source));
        } else {
            free(blocks[at]);
            blocks[at] = NULL;
        }
    }
    for (uint64_t i = 0; i < slots; i++) free(blocks[i]);
    return NULL;
}

int main(int argc, char **argv) {
    workload_begin(argc, argv);
    threads = workload_argument("threads", 4);
    slots = workload_argument("slots", 1024);
    operations = workload_amount("operations", 60000000);
    workload_arguments_end();
    run_threads(threads, body);
}
