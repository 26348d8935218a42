#define _GNU_SOURCE
#include <sched.h>
#include <stdbool.h>
#include <sys/utsname.h>

#include "percolate/rseq.h"

#include "percolate/process.h"
#include "percolate/syscalls.h"

/// The area of a thread that glibc did not register. The ids read as unregistered until the kernel
/// writes them, so that such a thread finds the closed gate at entry -1 whichever of the two
/// indexes is in use.
static __thread struct percolate_rseq_area own_area __attribute__((tls_model("initial-exec"))) = {
    .cpu_id = -1,
    .mm_cid = -1,
};

ptrdiff_t percolate_rseq_own_offset(void) {
    return (ptrdiff_t)((uintptr_t)&own_area - percolate_thread_pointer());
}

uint32_t percolate_rseq_own_size(void) {
    unsigned long known = percolate_auxiliary(27);
    return known > 32 && known <= sizeof own_area ? (uint32_t)known : 32;
}

long percolate_rseq_register(ptrdiff_t offset, uint32_t size) {
#ifdef SYS_rseq
    return percolate_syscall6(
        SYS_rseq, (long)(percolate_thread_pointer() + (uintptr_t)offset), size, 0, PERCOLATE_RSEQ_SIGNATURE, 0, 0);
#else
    (void)offset, (void)size;
    return -ENOSYS;
#endif
}

int percolate_rseq_is_known(void) {
#ifdef SYS_rseq
    // Flags that mean nothing: a kernel that has the call says EINVAL.
    return percolate_syscall6(SYS_rseq, 0, 0, 0x7fffffff, 0, 0, 0) != -ENOSYS;
#else
    return 0;
#endif
}

/// Reads a decimal number, and the character behind it.
static const char *read_number(const char *text, unsigned *number) {
    for (*number = 0; *text >= '0' && *text <= '9' && *number < 100000; text++) *number = *number * 10 + (unsigned)(*text - '0');
    return *text ? text + 1 : text;
}

bool percolate_arm64_release_aborts_sections(const char *release) {
    unsigned major, minor, patch;
    read_number(read_number(read_number(release, &major), &minor), &patch);
    if (major == 6) return minor < 19;
    return major != 7 || minor > 0 || patch > 13;
}

bool percolate_kernel_aborts_sections(void) {
#if defined(__aarch64__)
    struct utsname names;
    return uname(&names) != 0 || percolate_arm64_release_aborts_sections(names.release);
#else
    return true;
#endif
}

long percolate_rseq_call_of_program(void *area, uint32_t size, int flags, uint32_t signature) {
#ifdef SYS_rseq
    // A thread has one area. The program's takes the place of ours, which is registered again by
    // the next slow path once the program gives its own up. Until then the thread reads as
    // unregistered, so its sections leave at once.
    bool gives_way = flags == 0 && area != &own_area && own_area.cpu_id >= 0;
    uint64_t signals = 0;
    if (gives_way) {
        // The kernel leaves 0 in `mm_cid`, which a signal handler must not take for an index.
        percolate_block_signals(&signals);
        percolate_syscall6(SYS_rseq, (long)&own_area, percolate_rseq_own_size(), PERCOLATE_RSEQ_UNREGISTER,
            PERCOLATE_RSEQ_SIGNATURE, 0, 0);
        own_area.mm_cid = -1;
        percolate_restore_signals(&signals);
    }
    long result = percolate_syscall6(SYS_rseq, (long)area, size, flags, signature, 0, 0);
    if (gives_way && result != 0)
        percolate_rseq_register(percolate_rseq_own_offset(), percolate_rseq_own_size());
    return result;
#else
    (void)area, (void)size, (void)flags, (void)signature;
    return -ENOSYS;
#endif
}

int percolate_current_cpu(void) { return sched_getcpu(); }
