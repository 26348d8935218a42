// Tells delete of an array the right size and another alignment.
#include "small.h"

#include <new>

int main() {
    void *array = obtain(::operator new[](4096, std::align_val_t(256)));
    ::operator delete[](array, std::size_t(4096), std::align_val_t(BENIGN ? 256 : 512));
}
