// Frees an aligned block twice, with others between.
#include "small.h"

int main(void) {
    char *block = obtain(aligned_alloc(256, 256)), *other = obtain(aligned_alloc(256, 256));
    free(block);
    free(other);
    if (!BENIGN) free(block);
}
