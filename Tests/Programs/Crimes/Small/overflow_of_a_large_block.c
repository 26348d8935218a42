// Writes one byte behind a large block, in its last page.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(100000));
    block[100000 - BENIGN] = 1;
    free(block);
}
