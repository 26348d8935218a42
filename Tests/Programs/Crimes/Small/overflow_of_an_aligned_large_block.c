// Writes a byte behind a large block that lies at a multiple of 64 KiB.
#include "small.h"

int main(void) {
    void *block = NULL;
    if (posix_memalign(&block, 65536, 100001) != 0) return 1;
    obtain(block)[100001 - BENIGN] = 1;
    free(block);
}
