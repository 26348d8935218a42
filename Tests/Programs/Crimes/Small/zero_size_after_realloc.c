// Writes to what realloc made of nothing.
#include "small.h"

int main(void) {
    char *block = obtain(realloc(NULL, BENIGN));
    block[0] = 1;
    free(block);
}
