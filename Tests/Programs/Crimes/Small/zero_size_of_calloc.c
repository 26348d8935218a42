// Writes to an array of no elements.
#include "small.h"

int main(void) {
    char *array = obtain(calloc(BENIGN, 100));
    array[0] = 1;
    free(array);
}
