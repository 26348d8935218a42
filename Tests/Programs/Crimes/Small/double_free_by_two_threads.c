// Frees a block that another thread has freed.
#include "small.h"

static void *body(void *block) {
    free(block);
    return NULL;
}

int main(void) {
    pthread_t thread;
    char *block = obtain(malloc(24));
    if (pthread_create(&thread, NULL, body, block) != 0) return 1;
    pthread_join(thread, NULL);
    if (!BENIGN) free(block);
}
