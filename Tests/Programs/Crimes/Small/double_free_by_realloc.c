// Frees a block that realloc to nothing has freed.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(24)), *other = obtain(malloc(24));
    if (!BENIGN && realloc(block, 0) != NULL) return 1;
    free(other);
    free(block);
}
