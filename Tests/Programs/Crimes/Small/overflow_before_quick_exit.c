// Overflows a block, and ends by _exit.
#include "small.h"
#include <unistd.h>

int main(void) {
    char *block = obtain(malloc(24));
    block[24 - BENIGN] = 1;
    _exit(0);
}
