// Deletes an array with another alignment, by the form that is told of no exception.
#include "small.h"

#include <new>

int main() {
    void *array = obtain(::operator new[](1000, std::align_val_t(32), std::nothrow));
    ::operator delete[](array, std::align_val_t(BENIGN ? 32 : 64), std::nothrow);
}
