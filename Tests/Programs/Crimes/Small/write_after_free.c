// Writes to a block that was just freed.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(24));
    if (BENIGN) block[0] = 1;
    free(block);
    if (!BENIGN) block[0] = 1;
}
