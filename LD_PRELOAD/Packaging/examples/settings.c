// Settings that are read at every request and changed now and then: readers never wait, and the old
// settings are freed once nobody uses them.
//
//     cc settings.c $(pkg-config --cflags --libs percolate) -pthread -o settings
#include <percolate/percpu.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { readers = 4, changes = 300 };

struct settings {
    int version;
    char text[32];
};

static struct percpu_epoch epoch;
static struct settings *current;
static int stop;
static long requests, wrong;

static struct settings *make(int version) {
    struct settings *made = (struct settings *)malloc(sizeof *made);
    if (made == NULL) {
        abort();
    }
    made->version = version;
    snprintf(made->text, sizeof made->text, "version %d", version);
    return made;
}

static void *serve(void *argument) {
    (void)argument;
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        int phase = percpu_epoch_enter(&epoch);
        struct settings *settings = __atomic_load_n(&current, __ATOMIC_ACQUIRE);
        char expected[32];
        snprintf(expected, sizeof expected, "version %d", settings->version);
        if (strcmp(expected, settings->text) != 0) {
            __atomic_fetch_add(&wrong, 1, __ATOMIC_ACQ_REL);
        }
        percpu_epoch_leave(&epoch, phase);
        __atomic_fetch_add(&requests, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

static void change(int version) {
    struct settings *old = __atomic_exchange_n(&current, make(version), __ATOMIC_ACQ_REL);
    // Where the kernel refuses to help, the old settings may be in use, and stay.
    if (percpu_epoch_synchronize(&epoch) != 0) {
        return;
    }
    memset(old, 0, sizeof *old);
    free(old);
}

int main(void) {
    struct percpu_pool *pool = PERCPU_POOL_OF(struct percpu_epoch_part, PERCPU_CPU_ID);
    if (pool == NULL || percpu_epoch_create(&epoch, pool) != 0) {
        return 1;
    }
    __atomic_store_n(&current, make(0), __ATOMIC_RELEASE);
    pthread_t threads[readers];
    for (int number = 0; number < readers; number++) {
        if (pthread_create(&threads[number], NULL, serve, NULL) != 0) {
            return 1;
        }
    }
    for (int version = 1; version <= changes || __atomic_load_n(&requests, __ATOMIC_ACQUIRE) < 1000;
         version++) {
        change(version);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    for (int number = 0; number < readers; number++) {
        pthread_join(threads[number], NULL);
    }
    printf("%ld requests, %d changes or more\n", __atomic_load_n(&requests, __ATOMIC_ACQUIRE),
           changes);
    free(__atomic_load_n(&current, __ATOMIC_ACQUIRE));
    percpu_epoch_destroy(&epoch);
    percpu_pool_destroy(pool);
    return __atomic_load_n(&wrong, __ATOMIC_ACQUIRE) == 0 ? 0 : 1;
}
