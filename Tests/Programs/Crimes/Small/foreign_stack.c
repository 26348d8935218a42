// Frees an array on the stack.
#include "small.h"

int main(void) {
    char local[64];
    char *block = obtain(BENIGN ? malloc(64) : local);
    free(block);
}
