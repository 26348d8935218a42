// Large blocks of changing size: each step replaces one of a few blocks by one of another size and writes each page.
#include "workload.h"

int main(int argc, char **argv) {
    workload_begin(argc, argv);
    uint64_t slots = workload_argument("slots", 16);
    uint64_t operations = workload_amount("operations", 10000);
    uint64_t least = workload_argument("least", 65536);
    uint64_t most = workload_argument("most", 4194304);
    workload_arguments_end();
    struct random_source source = random_seeded(7);
    void **blocks = table(slots, sizeof(void *));
    for (uint64_t done = 0; done < operations; done++) {
        uint64_t at = random_below(&source, slots);
        free(blocks[at]);
        blocks[at] = allocate_written(random_between(&source, least, most));
    }
    for (uint64_t i = 0; i < slots; i++) free(blocks[i]);
}
