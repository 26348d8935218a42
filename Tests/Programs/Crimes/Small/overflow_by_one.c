// Writes one byte behind a block.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(24));
    block[24 - BENIGN] = 1;
    free(block);
}
