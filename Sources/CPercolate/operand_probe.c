#define _GNU_SOURCE
#include <percolate/operand_probe.h>
#include <percolate/syscalls.h>
#include <string.h>
#include <sys/uio.h>

int percolate_probe_read(uint64_t address) {
    // A signal mask is read by the kernel before it looks at what to do with it, and there is no
    // such thing to do. The eight aligned bytes around the address lie on its page. Null means "no
    // mask", so page 0 is asked about further up.
    const long no_such_thing = 77;
    uint64_t word = address & ~UINT64_C(7);
    return percolate_syscall6(SYS_rt_sigprocmask, no_such_thing, word ? (long)word : 8, 0, 8, 0, 0) != -EFAULT;
}

int percolate_probe_write(uint64_t address) {
    // An atomic addition of zero, made by the kernel. It wakes nobody at `nobody`; whoever sleeps
    // on the word itself may wake once too often, which sleepers on a futex have to expect.
    uint32_t nobody = 0;
    return percolate_syscall6(SYS_futex, (long)&nobody, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 0, 0,
                              (long)(address & ~UINT64_C(3)), FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_LT, -2048))
        >= 0;
}

enum percolate_fetch percolate_fetch(uint64_t destination, uint64_t source, uint32_t len) {
    struct iovec local = {(void *)(uintptr_t)destination, len};
    struct iovec remote = {(void *)(uintptr_t)source, len};
    long fetched = percolate_syscall6(SYS_process_vm_readv, percolate_getpid(), (long)&local, 1, (long)&remote, 1, 0);
    if (fetched == (long)len) { return PERCOLATE_FETCHED; }
    return fetched >= 0 || fetched == -EFAULT ? PERCOLATE_FETCH_FAULTED : PERCOLATE_FETCH_REFUSED;
}

enum percolate_fetch percolate_fetch_and_compare(uint64_t a, uint64_t b, uint32_t len, int *equal) {
    *equal = 1;
    for (uint32_t done = 0; done < len && *equal;) {
        unsigned char of_a[256], of_b[256];
        uint32_t part = len - done < sizeof of_a ? len - done : (uint32_t)sizeof of_a;
        enum percolate_fetch first = percolate_fetch((uint64_t)(uintptr_t)of_a, a + done, part);
        if (first != PERCOLATE_FETCHED) { return first; }
        enum percolate_fetch second = percolate_fetch((uint64_t)(uintptr_t)of_b, b + done, part);
        if (second != PERCOLATE_FETCHED) { return second; }
        *equal = memcmp(of_a, of_b, part) == 0;
        done += part;
    }
    return PERCOLATE_FETCHED;
}
