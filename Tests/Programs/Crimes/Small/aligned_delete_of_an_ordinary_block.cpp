// Deletes with an alignment what new was told none for: the address happens to be a multiple.
#include "small.h"

#include <new>

int main() {
    char *block = obtain(::operator new(64));
    while (reinterpret_cast<uintptr_t>(block) % 64 != 0) block = obtain(::operator new(64));
    if (BENIGN) ::operator delete(block);
    if (!BENIGN) ::operator delete(block, std::align_val_t(64));
}
