// Asks the size of a block by a pointer into it.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(64));
    if (malloc_usable_size(block + (BENIGN ? 0 : 32)) < 64) return 1;
    free(block);
}
