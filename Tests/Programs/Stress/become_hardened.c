// Hardens the process while threads allocate, checks every block from before and after by a
// pattern, and then commits a double free, which must be found. The argument is the level.
#include <dlfcn.h>
#include <percolate/hardening.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { thread_count = 4, slots = 2000 };
static atomic_int is_over, wrong;

static void *allocate_and_free(void *argument) {
    static char *blocks[thread_count][slots];
    static unsigned char sizes[thread_count][slots];
    int me = (int)(long)argument;
    unsigned random = (unsigned)me * 2654435761u + 1;
    for (long turn = 0; !atomic_load(&is_over) || turn < 20000; turn++) {
        random = random * 1664525 + 1013904223;
        unsigned slot = (random >> 8) % slots;
        char *block = blocks[me][slot];
        if (block != NULL) {
            for (int i = 0; i < sizes[me][slot]; i++) wrong |= block[i] != (char)(slot + (unsigned)me);
            free(block);
        }
        sizes[me][slot] = (unsigned char)(random >> 24);
        block = malloc(sizes[me][slot]);
        if (block == NULL) abort();
        memset(block, (int)(slot + (unsigned)me), sizes[me][slot]);
        blocks[me][slot] = block;
    }
    for (int i = 0; i < slots; i++) free(blocks[me][i]);
    return NULL;
}

int main(int argc, char **argv) {
    int (*harden)(int) = (int (*)(int))dlsym(RTLD_DEFAULT, "percolate_harden");
    if (argc < 2 || harden == NULL) return 2;
    char *from_before = malloc(100);
    char *large_from_before = malloc(1 << 20);
    pthread_t threads[thread_count];
    for (long i = 0; i < thread_count; i++) {
        if (pthread_create(&threads[i], NULL, allocate_and_free, (void *)i) != 0) return 3;
    }
    usleep(50000);
    int level = strcmp(argv[1], "full") == 0 ? PERCOLATE_HARDENING_FULL : PERCOLATE_HARDENING_BASIC;
    if (harden(level) != 0 || harden(level) != 0 || harden(PERCOLATE_HARDENING_OFF) != 0 || harden(3) != -1) return 4;
    usleep(50000);
    atomic_store(&is_over, 1);
    for (int i = 0; i < thread_count; i++) pthread_join(threads[i], NULL);
    if (wrong) return 5;
    from_before = realloc(from_before, 50);
    large_from_before = realloc(large_from_before, 3 << 20);
    if (from_before == NULL || large_from_before == NULL) return 6;
    free(from_before);
    free(large_from_before);
    char *block = malloc(64), *other = malloc(64);
    free(block);
    free(other);
    puts("hardened");
    fflush(stdout);
    void *volatile again = block;
    free(again);
    puts("accepted");
}
