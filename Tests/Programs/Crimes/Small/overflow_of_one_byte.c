// Writes behind the smallest block.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(1));
    block[1 - BENIGN] = 1;
    free(block);
}
