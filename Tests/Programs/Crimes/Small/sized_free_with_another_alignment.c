// Gives free_aligned_sized an alignment that was not asked for.
#include "small.h"

int main(void) {
    char *block = obtain(aligned_alloc(64, 128));
    free_aligned_sized(block, BENIGN ? 64 : 32, 128);
}
