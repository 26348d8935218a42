// Fills a block up to one byte behind what malloc_usable_size says.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(1000));
    memset(block, 7, malloc_usable_size(block) + 1 - BENIGN);
    free(block);
}
