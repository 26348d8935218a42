// Overflows a block that realloc resizes.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(24));
    block[24 - BENIGN] = 1;
    block = obtain(realloc(block, 500));
    free(block);
}
