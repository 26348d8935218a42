// Frees a large block twice.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(1 << 20));
    free(block);
    if (!BENIGN) free(block);
}
