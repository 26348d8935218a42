// Gives free_sized a size that is wrong by one.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(100));
    free_sized(block, BENIGN ? 100 : 99);
}
