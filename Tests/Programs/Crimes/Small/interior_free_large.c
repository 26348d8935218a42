// Frees a page inside a large block.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(1 << 20));
    free(block + (BENIGN ? 0 : 8192));
}
