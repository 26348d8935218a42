// Writes one byte behind a large block that ends with a page.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(102400));
    block[102400 - BENIGN] = 1;
    free(block);
}
