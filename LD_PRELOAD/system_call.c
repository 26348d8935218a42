/// syscall(2), for its one call that concerns the allocator: a program registers restartable
/// sequences of its own by it. The entry is in assembly, as libc's: some calls return twice, or
/// with another stack.
#include <errno.h>
#include <percolate/rseq.h>

long percolate_system_call_failed(long result) __attribute__((visibility("hidden")));
long percolate_program_rseq(long number, void *area, long size, long flags, long signature)
    __attribute__((visibility("hidden")));

long percolate_system_call_failed(long result) {
    errno = (int)-result;
    return -1;
}

long percolate_program_rseq(long number, void *area, long size, long flags, long signature) {
    (void)number;
    long result = percolate_rseq_call_of_program(area, (uint32_t)size, (int)flags, (uint32_t)signature);
    return result < 0 ? percolate_system_call_failed(result) : result;
}
