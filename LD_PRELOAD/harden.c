/// Making the heap stricter, for C (<percolate/hardening.h>).
#include <errno.h>
#include <percolate/hardening.h>

#include "core.h"

__attribute__((visibility("default"))) int percolate_harden(int level) {
    int result = percolate_harden_heap(level);
    if (result == 0) return 0;
    errno = -result;
    return -1;
}
