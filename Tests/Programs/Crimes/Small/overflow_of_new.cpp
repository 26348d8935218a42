// Writes an element behind an array of new, which delete finds.
#include "small.h"

int main() {
    long *array = reinterpret_cast<long *>(obtain(new long[5]));
    array[5 - BENIGN] = 1;
    delete[] array;
}
