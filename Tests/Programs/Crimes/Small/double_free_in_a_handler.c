// A signal handler frees a block that the program has freed before, and some others.
#include "small.h"

#include <signal.h>

static char *blocks[100];

static void handle(int signal) {
    (void)signal;
    if (!BENIGN) free(blocks[7]);
}

int main(void) {
    for (int number = 0; number < 100; number++) blocks[number] = obtain(malloc(200));
    for (int number = 0; number < 100; number++) free(blocks[number]);
    signal(SIGUSR1, handle);
    raise(SIGUSR1);
}
