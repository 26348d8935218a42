// Forgets the room for the 0 at the end of a string.
#include "small.h"

int main(void) {
    char *copy = obtain(malloc(5 + BENIGN));
    strcpy(copy, "hello");
    free(copy);
}
