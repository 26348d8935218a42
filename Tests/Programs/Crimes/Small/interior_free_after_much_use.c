// Frees a pointer into a block from warm caches.
#include "small.h"

static char *blocks[1000];

int main(void) {
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < 1000; i++) blocks[i] = obtain(malloc(96));
        for (int i = 0; i < 1000; i++) free(blocks[i]);
    }
    char *block = obtain(malloc(96));
    free(block + (BENIGN ? 0 : 48));
}
