// Fragmentation: fill with small blocks, free nine in ten at random, refill to the same total with other sizes. What the
// second filling needs on top of the first is the price of the holes.
#include "workload.h"

static void **blocks;
static uint64_t *sizes, count;

static uint64_t fill(struct random_source *source, uint64_t goal, uint64_t held, uint64_t least, uint64_t most) {
    while (held < goal) {
        sizes[count] = random_between(source, least, most);
        blocks[count] = allocate_written(sizes[count]);
        held += sizes[count++];
    }
    return held;
}

int main(int argc, char **argv) {
    workload_begin(argc, argv);
    uint64_t megabytes = workload_argument("megabytes", 128);
    uint64_t rounds = workload_amount("rounds", 3);
    workload_arguments_end();
    uint64_t goal = megabytes << 20;
    uint64_t room = goal / 16 + 1;
    blocks = table(room, sizeof *blocks);
    sizes = table(room, sizeof *sizes);
    struct random_source source = random_seeded(3);
    uint64_t held = fill(&source, goal, 0, 16, 512);
    mark("filled");
    for (uint64_t round = 0; round < rounds; round++) {
        uint64_t kept = 0;
        held = 0;
        for (uint64_t i = 0; i < count; i++) {
            if (random_below(&source, 10) != 0) {
                free(blocks[i]);
            } else {
                blocks[kept] = blocks[i];
                held += sizes[kept++] = sizes[i];
            }
        }
        count = kept;
        if (round == 0) mark("freed");
        held = fill(&source, goal, held, 16 + 100 * round, 700 + 300 * round);
        if (round == 0) mark("refilled");
    }
    mark("end");
    for (uint64_t i = 0; i < count; i++) free(blocks[i]);
}
