// Frees a block twice in a row.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(24));
    free(block);
    if (!BENIGN) free(block);
}
