// What the programs that misuse the allocator share. Each says what it is about to do wrong, and
// with which address and by which thread, so that the test can compare the allocator's line with
// it.
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <malloc.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static inline void say(const char *format, ...) {
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    line[length] = '\n';
    if (write(1, line, (size_t)length + 1) != length + 1) _exit(3);
}

// The address in question and the thread, immediately before the crime.
static inline void about_to_misuse(const void *address) { say("address %p thread %d", address, (int)gettid()); }

// Printed when the crime's own call returned: a check made at once does not come here.
static inline void returned(void) { say("returned"); }

// A pointer that the compiler does not know, so that it neither warns nor reasons about its misuse.
static inline void *hidden(void *pointer) {
    void *volatile place = pointer;
    return place;
}

static inline void *obtained(void *block) {
    if (block == NULL) {
        say("no memory");
        _exit(4);
    }
    return block;
}

// One CPU, so that every free goes through the same cache and its drain is a matter of counting.
static inline void stay_on_one_cpu(void) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(sched_getcpu(), &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) _exit(5);
}

enum { neighbour_count = 100000 };
static void *neighbours[neighbour_count];

// As many as 100 MB hold: enough batches of every class.
static inline void allocate_neighbours(size_t size) {
    stay_on_one_cpu();
    for (size_t i = 0; i < neighbour_count && i * size < 100000000; i++) neighbours[i] = obtained(malloc(size));
}

// Frees every block from the `first` on that is still there. A wrong pointer with many of them
// behind it reaches its span in some batch; with many in front of it too, whichever end of the
// cache batches leave by.
static inline void free_neighbours(size_t first) {
    for (size_t i = first; i < neighbour_count; i++) {
        if (neighbours[i] != NULL) free(neighbours[i]);
        neighbours[i] = NULL;
    }
}

// How many neighbours there are.
static inline size_t neighbours_allocated(void) {
    size_t count = 0;
    while (count < neighbour_count && neighbours[count] != NULL) count++;
    return count;
}

static inline void *function(const char *name) {
    void *address = dlsym(RTLD_DEFAULT, name);
    if (address == NULL) {
        say("%s is not defined", name);
        _exit(6);
    }
    return address;
}

struct crime {
    const char *name;
    void (*commit)(void);
};

#define CRIME(name) {#name, name}

// Exit code 0 when the crime named by the argument went unnoticed to the end, 2 when there is no
// such crime.
static inline int commit_crime(int argc, char **argv, const struct crime *crimes, size_t count) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    for (size_t i = 0; i < count; i++) {
        if (argc > 1 && strcmp(argv[1], crimes[i].name) == 0) {
            crimes[i].commit();
            return 0;
        }
    }
    say("no crime is named %s; there are:", argc > 1 ? argv[1] : "(nothing)");
    for (size_t i = 0; i < count; i++) say("    %s", crimes[i].name);
    return 2;
}

#define COMMIT(crimes) commit_crime(argc, argv, crimes, sizeof(crimes) / sizeof((crimes)[0]))
