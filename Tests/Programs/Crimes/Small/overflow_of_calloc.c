// Counts the elements of an array from 1.
#include "small.h"

int main(void) {
    int *numbers = (int *)obtain(calloc(10, sizeof(int)));
    for (int i = 1; i <= 10 - BENIGN; i++) numbers[i] = i;
    free(numbers);
}
