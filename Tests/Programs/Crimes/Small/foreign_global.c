// Frees a global array.
#include "small.h"

static char global[64];

int main(void) {
    char *block = obtain(BENIGN ? malloc(64) : global);
    free(block);
}
