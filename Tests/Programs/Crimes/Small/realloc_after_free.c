// Resizes a freed block.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(24)), *other = obtain(malloc(24));
    if (!BENIGN) free(block);
    free(other);
    free(obtain(realloc(block, 3000)));
}
