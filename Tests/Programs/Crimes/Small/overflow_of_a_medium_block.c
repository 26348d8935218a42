// Overflows a block of some pages.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(20000));
    block[20000 - BENIGN] = 1;
    free(block);
}
