// Overflows a block that realloc made larger.
#include "small.h"

int main(void) {
    char *block = obtain(realloc(obtain(malloc(10)), 20));
    block[20 - BENIGN] = 1;
    free(block);
}
