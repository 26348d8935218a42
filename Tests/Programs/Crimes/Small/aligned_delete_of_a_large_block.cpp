// Deletes a large block with another alignment.
#include "small.h"

#include <new>

int main() {
    void *block = obtain(::operator new(100000, std::align_val_t(8192)));
    ::operator delete(block, std::align_val_t(BENIGN ? 8192 : 4096));
}
