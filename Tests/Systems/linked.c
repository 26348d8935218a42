/// A program that is linked to the installed library: its blocks and its vector are Percolate's.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <percolate/percpu_ops.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void) {
    Dl_info found;
    if (!dladdr((void *)malloc, &found) || !strstr(found.dli_fname, "libpercolate_malloc.so.0")) {
        fprintf(stderr, "malloc is that of %s\n", found.dli_fname);
        return 1;
    }
    intptr_t value = 40;
    if (cpu_op_addv(&value, 1, percpu_current_cpu()) != 0) return 2;
    if (percpu_addv(&value, 1, percpu_current_cpu()) != 0) return 3;
    return value == 42 ? 0 : 4;
}
