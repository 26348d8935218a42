// Frees a block again, ten thousand other frees later.
#include "small.h"

int main(void) {
    char *block = obtain(malloc(40));
    free(obtain(malloc(40)));
    free(block);
    for (int number = 0; number < 10000; number++) free(obtain(malloc(500 + number % 500)));
    if (!BENIGN) free(block);
}
