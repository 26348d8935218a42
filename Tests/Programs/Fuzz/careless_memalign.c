// The fuzzer's control: a memalign that forgets the alignment, preloaded in front of the allocator.
#include <stdlib.h>

void *memalign(size_t alignment, size_t size) {
    (void)alignment;
    return malloc(size);
}
