// Tells free_aligned_sized an alignment that calloc was not asked for, though the address has it.
#include "small.h"

int main(void) {
    char *block = obtain(calloc(1, 64));
    while ((uintptr_t)block % 64 != 0) block = obtain(calloc(1, 64));
    if (BENIGN) free_sized(block, 64);
    if (!BENIGN) free_aligned_sized(block, 64, 64);
}
