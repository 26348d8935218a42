// Writes to the last byte of a freed block.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(200));
    if (BENIGN) block[199] = 1;
    free(block);
    if (!BENIGN) block[199] = 1;
}
