// Deletes with an alignment a block that is no multiple of it.
#include "small.h"

#include <new>

int main() {
    char *block = obtain(::operator new(32));
    while (reinterpret_cast<uintptr_t>(block) % 64 == 0) block = obtain(::operator new(32));
    if (BENIGN) ::operator delete(block);
    if (!BENIGN) ::operator delete(block, std::align_val_t(64));
}
