// Reads a freed large block.
#include "small.h"

int main(void) {
    char *block = obtain(calloc(1, 1 << 20));
    volatile char byte = 0;
    if (BENIGN) byte = block[5000];
    free(block);
    if (!BENIGN) byte = block[5000];
    return byte;
}
