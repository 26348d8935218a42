// Frees a pointer into a block.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(64));
    free(block + (BENIGN ? 0 : 16));
}
