// Deletes an array twice, with deletes of others in between.
#include "small.h"

int main() {
    int *array = reinterpret_cast<int *>(obtain(new int[30]));
    delete[] array;
    for (int number = 0; number < 10; number++) delete[] reinterpret_cast<int *>(obtain(new int[30]));
    if (!BENIGN) delete[] array;
}
