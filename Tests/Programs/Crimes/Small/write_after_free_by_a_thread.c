// A thread writes into a block, eight bytes from its start, that another one has freed.
#include "small.h"

static char *block;

static void *write_it(void *argument) {
    block[8] = 1;
    return argument;
}

int main(void) {
    block = obtain(malloc(64));
    if (!BENIGN) free(block);
    pthread_t thread;
    pthread_create(&thread, NULL, write_it, NULL);
    pthread_join(thread, NULL);
    if (BENIGN) free(block);
}
