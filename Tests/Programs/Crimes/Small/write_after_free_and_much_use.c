// Writes to a freed block, and goes on for long.
#include "small.h"
#include <unistd.h>

int main(void) {
    char *block = obtain(malloc(100));
    free(block);
    if (!BENIGN) block[50] = 1;
    for (int i = 0; i < 1000000; i++) free(obtain(malloc(100)));
    _exit(0);
}
