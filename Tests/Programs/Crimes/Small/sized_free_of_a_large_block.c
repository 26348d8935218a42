// Gives free_sized the size of a larger block.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(1 << 20));
    free_sized(block, BENIGN ? 1 << 20 : 1 << 21);
}
