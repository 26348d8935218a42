// Writes where only rounding up gave room.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(100));
    block[BENIGN ? 99 : 105] = 1;
    free(block);
}
