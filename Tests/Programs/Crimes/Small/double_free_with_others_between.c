// Frees a block, others, and it again.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(24)), *other = obtain(malloc(24));
    free(block);
    free(other);
    if (!BENIGN) free(block);
}
