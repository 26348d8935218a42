#include "misuse.h"

#include <percolate/error.h>
#include <percolate/syscalls.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void percolate_report_misuse(const char *what, const void *address) {
    char line[256];
    int length = snprintf(line, sizeof line,
                          "percolate: %s: %p, thread %ld: to find the caller, break on "
                          "percolate_error in a debugger\n",
                          what, address, percolate_gettid());
    // Nothing else can be done about a closed standard error.
    if (length > 0 && write(2, line, (size_t)length) < 0) {
        abort();
    }
    percolate_error();
    abort();
}
