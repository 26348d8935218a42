// Frees with free_sized what has an alignment: that is free_aligned_sized's.
#include "small.h"

int main(void) {
    char *block = obtain(aligned_alloc(64, 192));
    if (BENIGN) free_aligned_sized(block, 64, 192);
    if (!BENIGN) free_sized(block, 192);
}
