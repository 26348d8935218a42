// Writes through the pointer that realloc replaced.
#include "small.h"

int main(void) {
    char *old = obtain(malloc(24));
    char *block = obtain(realloc(old, 3000));
    (BENIGN ? block : old)[3] = 1;
    free(block);
}
