// Tells free_aligned_sized an alignment of which the block of malloc is no multiple.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(96));
    while ((uintptr_t)block % 64 == 0) block = obtain(malloc(96));
    if (BENIGN) free_sized(block, 96);
    if (!BENIGN) free_aligned_sized(block, 64, 96);
}
