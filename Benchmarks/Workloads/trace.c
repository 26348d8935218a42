// Traces like espresso's: computations nest; each level allocates a few sizes over and over, grows some blocks, and frees
// nearly all before it returns. A tenth outlives its level.
#include "workload.h"

enum { level_blocks = 12, survivors = 2000 };
static struct random_source source;
static void *survivor[survivors];

static const unsigned short sizes[] = {8, 16, 16, 24, 24, 24, 32, 32, 40, 48, 56, 72, 96, 120, 200, 520};

static size_t size_at(unsigned depth) {
    uint64_t pick = (random_below(&source, 8) + 2 * depth) % (sizeof sizes / sizeof *sizes);
    return sizes[pick];
}

static uint64_t compute(unsigned depth) {
    char *blocks[level_blocks];
    uint64_t done = level_blocks;
    for (int i = 0; i < level_blocks; i++) {
        size_t size = size_at(depth);
        blocks[i] = i % 6 == 5 ? calloc(1, size) : malloc(size);
        blocks[i][0] = (char)i;
    }
    if (depth > 0) {
        uint64_t branches = 1 + random_below(&source, 2);
        for (uint64_t i = 0; i < branches; i++) done += compute(depth - 1);
    }
    blocks[0] = realloc(blocks[0], 300);
    if (blocks[0][0] != 0) workload_fail("realloc lost the contents");
    for (int i = 0; i < level_blocks; i++) {
        if (random_below(&source, 10) == 0) {
            uint64_t at = random_below(&source, survivors);
            free(survivor[at]);
            survivor[at] = blocks[i];
        } else {
            free(blocks[i]);
        }
    }
    return done;
}

int main(int argc, char **argv) {
    workload_begin(argc, argv);
    uint64_t operations = workload_amount("operations", 30000000);
    workload_arguments_end();
    source = random_seeded(1);
    for (uint64_t done = 0; done < operations;) done += compute(10);
    for (int i = 0; i < survivors; i++) free(survivor[i]);
}
