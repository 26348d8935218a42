// Writes in front of each of many small blocks.
#include "small.h"

static char *blocks[1000];

int main(void) {
    for (int i = 0; i < 1000; i++) blocks[i] = obtain(malloc(48));
    for (int i = 0; i < 1000; i++) {
        // The first block of a page may have nothing in front of it.
        if ((uintptr_t)blocks[i] % 4096 != 0) blocks[i][BENIGN - 1] = 1;
    }
    for (int i = 0; i < 1000; i++) free(blocks[i]);
}
