// Tells delete the size of a block, and not its alignment.
#include "small.h"

#include <new>

int main() {
    void *block = obtain(::operator new(128, std::align_val_t(64)));
    if (BENIGN) ::operator delete(block, std::size_t(128), std::align_val_t(64));
    if (!BENIGN) ::operator delete(block, std::size_t(128));
}
