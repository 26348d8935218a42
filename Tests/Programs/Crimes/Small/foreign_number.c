// Frees a small number.
#include "small.h"

int main(void) {
    free(BENIGN ? NULL : (void *)(uintptr_t)48);
}
