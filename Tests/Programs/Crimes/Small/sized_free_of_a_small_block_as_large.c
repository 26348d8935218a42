// Frees a small block with the size of a large one.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(100));
    if (free_sized) free_sized(block, BENIGN ? 100 : 1 << 20);
    else free(block);
}
