// Frees memory that came from mmap.
#include "small.h"

#include <sys/mman.h>

int main(void) {
    void *mapping = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    obtain(malloc(10));
    if (!BENIGN) free(obtain(mapping));
}
