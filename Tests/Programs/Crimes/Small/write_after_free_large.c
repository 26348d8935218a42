// Writes to a freed large block.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(1 << 20));
    if (BENIGN) block[5000] = 1;
    free(block);
    if (!BENIGN) block[5000] = 1;
}
