// Appends to a string that has no room.
#include "small.h"

int main(void) {
    char *text = obtain(strdup("hello"));
    text[6 - BENIGN] = 0;
    free(text);
}
