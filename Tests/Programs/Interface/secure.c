// Prints whether the kernel started it in secure mode, after some work with the allocator that it
// is linked with.
#include "check.h"
#include <sys/auxv.h>

int main(void) {
    for (size_t size = 1; size < 10000000; size = size * 3 + 1) {
        void *block = malloc(size);
        REQUIRE(block != NULL, "malloc(%zu) to work", size);
        memset(block, 1, size);
        free(block);
    }
    Dl_info info;
    REQUIRE(dladdr(entry_point("malloc"), &info) != 0, "malloc to have a file");
    say("AT_SECURE %lu", getauxval(AT_SECURE));
    say("malloc %s", info.dli_fname);
    return 0;
}
