// Frees a large block by its second byte.
#include "small.h"

int main(void) {
    char *block = obtain(calloc(1, 300000));
    free(block + 1 - BENIGN);
}
