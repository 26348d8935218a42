// Deletes a block with an alignment that no block can have.
#include "small.h"

#include <new>

int main() {
    void *block = obtain(::operator new(96, std::align_val_t(32)));
    ::operator delete(block, std::align_val_t(BENIGN ? 32 : 24));
}
