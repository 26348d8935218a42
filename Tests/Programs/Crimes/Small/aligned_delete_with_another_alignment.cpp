// Deletes a block with half the alignment that new was told.
#include "small.h"

#include <new>

int main() {
    void *block = obtain(::operator new(256, std::align_val_t(128)));
    ::operator delete(block, std::align_val_t(BENIGN ? 128 : 64));
}
