// Writes to a block of no bytes.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(BENIGN));
    block[0] = 1;
    free(block);
}
