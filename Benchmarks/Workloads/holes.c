// A heap full of holes: large blocks of which every second one was freed, then blocks of other sizes that come and go
// between them. Where to put each must not cost a look through all holes.
#include "workload.h"

int main(int argc, char **argv) {
    workload_begin(argc, argv);
    uint64_t count = workload_argument("count", 40000);
    uint64_t operations = workload_amount("operations", 400000);
    workload_arguments_end();
    struct random_source source = random_seeded(15);
    char **blocks = table(count, sizeof(char *));
    for (uint64_t i = 0; i < count; i++) {
        blocks[i] = malloc(random_between(&source, 36000, 200000));
        if (blocks[i] == NULL) workload_fail("malloc returned NULL");
        blocks[i][0] = 1;
    }
    for (uint64_t i = 0; i < count; i += 2) {
        free(blocks[i]);
        blocks[i] = NULL;
    }
    for (uint64_t done = 0; done < operations; done++) {
        uint64_t at = 2 * random_below(&source, count / 2);
        free(blocks[at]);
        blocks[at] = malloc(random_between(&source, 36000, 200000));
        if (blocks[at] == NULL) workload_fail("malloc returned NULL");
        blocks[at][0] = 1;
    }
    for (uint64_t i = 0; i < count; i++) free(blocks[i]);
}
