// Frees an address that no block ever had.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(64));
    free(block + (BENIGN ? 0 : (1 << 17)));
}
