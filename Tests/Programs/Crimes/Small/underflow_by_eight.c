// Writes eight bytes in front of blocks, which lie behind others.
#include "small.h"

int main(void) {
    char *blocks[200];
    for (int number = 0; number < 200; number++) blocks[number] = obtain(malloc(40));
    for (int number = 0; number < 200; number++) {
        // In front of the first block of all is no memory.
        if (BENIGN || (uintptr_t)blocks[number] % 4096 < 64) continue;
        memset(blocks[number] - 8, 1, 8);
    }
    for (int number = 0; number < 200; number++) free(blocks[number]);
}
