// Writes eight bytes behind a block.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(40));
    memset(block + 40 - 8 * BENIGN, 1, 8);
    free(block);
}
