// Uses what realloc took away.
#include "small.h"

int main(void) {
    char *block = obtain(realloc(obtain(malloc(40)), 33));
    block[BENIGN ? 32 : 39] = 1;
    free(block);
}
