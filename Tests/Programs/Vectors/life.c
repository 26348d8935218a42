// Vectors, and operations that try a sequence first, at every time of a process and of its threads:
// before the constructors, before main, in threads that come and go, in the destructors of
// thread-local data, and after main.
//
//     life [THREADS]
#define _GNU_SOURCE
#include <percolate/percpu_ops.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { most_cpus = 64, at_once = 8 };

static struct { intptr_t sum; } __attribute__((aligned(128))) data[most_cpus];
static long calls;

static void fail(const char *when) {
    // Printing may not work at all of these times.
    if (write(1, when, strlen(when)) < 0) { _exit(3); }
    _exit(1);
}

// Adds two to the sum.
static void add(const char *when) {
    int last = (int)sysconf(_SC_NPROCESSORS_ONLN) - 1, cpu = percpu_current_cpu();
    if (last >= most_cpus) { last = most_cpus - 1; }
    if (cpu_op_addv(&data[last].sum, 1, last) != 0) { fail(when); }
    if (percpu_addv(&data[cpu % most_cpus].sum, 1, cpu) != 0) { fail(when); }
    __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
}

static void before_constructors(void) { add("before the constructors\n"); }
__attribute__((section(".preinit_array"), used)) static void (*preinit)(void) = before_constructors;
__attribute__((constructor)) static void before_main(void) { add("before main\n"); }

static long sum(void) {
    long found = 0;
    for (int cpu = 0; cpu < most_cpus; cpu++) { found += data[cpu].sum; }
    return found;
}

__attribute__((destructor)) static void after_main(void) {
    add("after main\n");
    if (sum() != 2 * calls) { fail("a sum after main is wrong\n"); }
}

static void at_exit(void) { add("at exit\n"); }

static pthread_key_t key;

static void when_thread_ends(void *round) {
    add("in a destructor of thread-local data\n");
    // Destructors run again for a value that one of them sets.
    if ((intptr_t)round < 3) { pthread_setspecific(key, (void *)((intptr_t)round + 1)); }
}

static void *live(void *unused) {
    (void)unused;
    pthread_setspecific(key, (void *)1);
    add("in a thread\n");
    return NULL;
}

int main(int argc, char **argv) {
    long threads = argc > 1 ? atol(argv[1]) : 400;
    if (calls != 2) { fail("nothing ran before main\n"); }
    atexit(at_exit);
    pthread_key_create(&key, when_thread_ends);
    for (long done = 0; done < threads; done += at_once) {
        pthread_t running[at_once];
        for (int index = 0; index < at_once; index++) { pthread_create(&running[index], NULL, live, NULL); }
        for (int index = 0; index < at_once; index++) { pthread_join(running[index], NULL); }
    }
    long expected = 2 + (threads + at_once - 1) / at_once * at_once * 4;
    printf("%ld calls, expected %ld; sum %ld\n", calls, expected, sum());
    return calls == expected && sum() == 2 * calls ? 0 : 1;
}
