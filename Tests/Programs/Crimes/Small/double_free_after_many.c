// Frees a block again after thousands of others.
#include "small.h"

static char *blocks[5000];

int main(void) {
    for (int i = 0; i < 5000; i++) blocks[i] = obtain(malloc(100));
    for (int i = 0; i < 5000; i++) free(blocks[i]);
    if (!BENIGN) free(blocks[7]);
}
