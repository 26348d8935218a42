// Resizes a block, which forgets its alignment, and deletes it as if it had one.
#include "small.h"

#include <new>

int main() {
    void *block = ::operator new(64, std::align_val_t(64));
    if (!BENIGN) block = realloc(block, 64);
    ::operator delete(obtain(block), std::align_val_t(64));
}
