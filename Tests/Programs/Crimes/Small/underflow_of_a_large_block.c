// Writes in front of a large block.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(100000));
    block[BENIGN - 1] = 1;
    free(block);
}
