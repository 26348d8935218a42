// Frees an aligned block by the start of its second line.
#include "small.h"

int main(void) {
    char *block = obtain(aligned_alloc(64, 256));
    free(block + (BENIGN ? 0 : 64));
}
