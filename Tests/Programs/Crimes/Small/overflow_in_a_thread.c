// Overflows a block that another thread frees.
#include "small.h"

static void *body(void *block) {
    free(block);
    return NULL;
}

int main(void) {
    pthread_t thread;
    char *block = obtain(malloc(24));
    block[24 - BENIGN] = 1;
    if (pthread_create(&thread, NULL, body, block) != 0) return 1;
    pthread_join(thread, NULL);
}
