// Appends to a text that has no room for it.
#include "small.h"

int main(void) {
    char *text = obtain(malloc(16));
    strcpy(text, "seven by");
    strcat(text, BENIGN ? " eight" : " eight and nine");
    free(text);
}
