// Resizes a global array.
#include "small.h"

static char global[64];

int main(void) {
    char *block = obtain(realloc(BENIGN ? malloc(64) : global, 500));
    free(block);
}
