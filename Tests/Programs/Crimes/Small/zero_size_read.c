// Reads a block of no bytes.
#include "small.h"

int main(void) {
    char *block = obtain(calloc(BENIGN, 8));
    volatile char byte = block[0];
    free(block);
    return byte;
}
