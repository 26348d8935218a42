// What the programs of one crime each share. With BENIGN=1 a program is its own innocent twin.
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef BENIGN
#define BENIGN 0
#endif

// C23's; glibc has them from 2.43 on.
#ifdef __cplusplus
extern "C" {
#endif
void free_sized(void *block, size_t size) __attribute__((weak));
void free_aligned_sized(void *block, size_t alignment, size_t size) __attribute__((weak));
#ifdef __cplusplus
}
#endif

// A block that the compiler knows nothing about, and that somebody else may look at.
static void *volatile obtained;

static inline char *obtain(void *block) {
    obtained = block;
    if (block == NULL) abort();
    return (char *)obtained;
}
