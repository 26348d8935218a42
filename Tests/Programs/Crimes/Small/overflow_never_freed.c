// Overflows a block that lives until the end of the process.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(24));
    block[24 - BENIGN] = 1;
}
