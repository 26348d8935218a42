// Frees a block with the size that it had before it grew.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(100));
    block = obtain(realloc(block, 2000));
    if (free_sized) free_sized(block, BENIGN ? 2000 : 100);
    else free(block);
}
