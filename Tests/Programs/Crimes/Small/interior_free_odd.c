// Frees a pointer to the second byte of a block.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(64));
    free(block + 1 - BENIGN);
}
