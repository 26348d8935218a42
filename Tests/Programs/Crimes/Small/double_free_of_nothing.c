// Frees a block of no bytes twice.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(0));
    free(block);
    if (!BENIGN) free(block);
}
