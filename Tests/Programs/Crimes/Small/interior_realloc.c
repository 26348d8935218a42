// Resizes a block by a pointer into it.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(64));
    free(obtain(realloc(block + (BENIGN ? 0 : 32), 1000)));
}
