// What the interface's test programs share: expectations that print, and a table of cases selected
// by argument.
//
// Nothing here allocates: a case may run with no memory left.
#pragma once

// A block that a failing realloc leaves alone is used afterwards.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuse-after-free"
#endif

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int failures;

// One line on standard output, by write(2).
static inline void say(const char *format, ...) {
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    if (length < 0) return;
    if (length > (int)sizeof line - 2) length = (int)sizeof line - 2;
    line[length] = '\n';
    if (write(1, line, (size_t)length + 1) != length + 1) _exit(3);
}

static inline void note_failure(const char *file, int line, const char *condition) {
    say("%s:%d: not so: %s", file, line, condition);
    failures++;
}

// Checks and goes on, up to 20 failures: then the first lines say enough.
#define EXPECT(condition, ...)                                                                                        \
    do {                                                                                                              \
        if (!(condition)) {                                                                                           \
            note_failure(__FILE__, __LINE__, #condition);                                                             \
            say("    expected " __VA_ARGS__);                                                                         \
            if (failures >= 20) _exit(1);                                                                             \
        }                                                                                                             \
    } while (0)

// Checks and ends the program when it is not so: what follows would make no sense.
#define REQUIRE(condition, ...)                                                                                       \
    do {                                                                                                              \
        if (!(condition)) {                                                                                           \
            note_failure(__FILE__, __LINE__, #condition);                                                             \
            say("    expected " __VA_ARGS__);                                                                         \
            _exit(1);                                                                                                 \
        }                                                                                                             \
    } while (0)

// A number that the compiler cannot see through, so that it warns about no size and removes no
// call.
static inline size_t opaque(size_t number) {
    volatile size_t hidden = number;
    return hidden;
}

// The function `name` of the allocator in charge, for names that no header of this glibc declares.
static inline void *entry_point(const char *name) {
    void *function = dlsym(RTLD_DEFAULT, name);
    REQUIRE(function != NULL, "the allocator to define %s", name);
    return function;
}

static inline int is_aligned(const void *block, size_t alignment) { return ((uintptr_t)block & (alignment - 1)) == 0; }

// The alignment that every block of `size` bytes has: that of the largest fundamental type that
// fits.
static inline size_t fundamental_alignment(size_t size) { return size >= 16 ? 16 : 8; }

// Fills by a pattern that differs between blocks (by `seed`) and between places in a block.
static inline void fill(void *block, size_t size, unsigned seed) {
    unsigned char *bytes = (unsigned char *)block;
    for (size_t i = 0; i < size; i++) bytes[i] = (unsigned char)(seed * 167 + i + (i >> 8) * 31 + (i >> 16) * 7);
}

// The first place where a block filled by `seed` differs from its pattern; `size` when none does.
static inline size_t first_difference(const void *block, size_t size, unsigned seed) {
    const unsigned char *bytes = (const unsigned char *)block;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != (unsigned char)(seed * 167 + i + (i >> 8) * 31 + (i >> 16) * 7)) return i;
    }
    return size;
}

// Ends the program unless a block filled by `seed` kept its bytes, then frees it.
static inline void free_filled(void *block, size_t size, unsigned seed) {
    size_t place = first_difference(block, size, seed);
    REQUIRE(place == size, "byte %zu of a block of %zu to keep its value", place, size);
    free(block);
}

static inline int is_zero(const void *block, size_t size) {
    const unsigned char *bytes = (const unsigned char *)block;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0) return 0;
    }
    return 1;
}

struct test_case {
    const char *name;
    void (*run)(void);
};

// Runs the case named by the first argument; exit code 0 when it holds, 1 when not, 2 when there is
// no such case.
static inline int run_case(int argc, char **argv, const struct test_case *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (argc > 1 && strcmp(argv[1], cases[i].name) == 0) {
            cases[i].run();
            if (failures == 0) say("holds: %s", cases[i].name);
            return failures == 0 ? 0 : 1;
        }
    }
    say("no case is named %s; there are:", argc > 1 ? argv[1] : "(nothing)");
    for (size_t i = 0; i < count; i++) say("    %s", cases[i].name);
    return 2;
}

#define CASE(function) {#function, function}
#define RUN_CASES(cases) run_case(argc, argv, cases, sizeof(cases) / sizeof((cases)[0]))
