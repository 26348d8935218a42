// Resizes a freed large block.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(1 << 20));
    if (!BENIGN) free(block);
    free(obtain(realloc(block, 3 << 20)));
}
