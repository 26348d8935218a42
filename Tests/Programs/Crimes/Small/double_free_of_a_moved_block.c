// Frees the address that a block had before realloc moved it.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(50));
    char *moved = obtain(realloc(block, 5000));
    free(obtain(malloc(50)));
    free(BENIGN ? moved : block);
}
