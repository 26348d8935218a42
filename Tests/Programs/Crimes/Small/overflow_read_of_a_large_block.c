// Reads behind a large block that ends with a page.
#include "small.h"

int main(void) {
    char *block = obtain(calloc(1, 102400));
    volatile char byte = block[102400 - BENIGN];
    free(block);
    return byte;
}
