// Frees a page inside a block of some pages.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(20000));
    free(block + (BENIGN ? 0 : 4096));
}
