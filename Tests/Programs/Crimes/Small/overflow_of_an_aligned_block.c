// Overflows a block of posix_memalign.
#include "small.h"

int main(void) {
    void *aligned;
    if (posix_memalign(&aligned, 64, 100) != 0) return 1;
    char *block = obtain(aligned);
    block[100 - BENIGN] = 1;
    free(block);
}
