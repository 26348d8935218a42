// Tells delete the right size, and an alignment of which the address is no multiple.
#include "small.h"

#include <new>

int main() {
    char *block = obtain(::operator new(128));
    while (reinterpret_cast<uintptr_t>(block) % 256 == 0) block = obtain(::operator new(128));
    if (BENIGN) ::operator delete(block, std::size_t(128));
    if (!BENIGN) ::operator delete(block, std::size_t(128), std::align_val_t(256));
}
