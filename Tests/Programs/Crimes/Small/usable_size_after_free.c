// Asks the size of a freed block.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(24)), *other = obtain(malloc(24));
    size_t size = BENIGN ? malloc_usable_size(block) : 24;
    free(block);
    free(other);
    if (!BENIGN) size = malloc_usable_size(block);
    return size < 24;
}
