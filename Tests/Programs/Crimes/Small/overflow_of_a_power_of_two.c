// Writes behind a block that fills its size class.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(64));
    block[64 - BENIGN] = 0;
    free(block);
}
