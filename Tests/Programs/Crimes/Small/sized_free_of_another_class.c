// Gives free_sized the size of other blocks.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(100));
    free_sized(block, BENIGN ? 100 : 400);
}
