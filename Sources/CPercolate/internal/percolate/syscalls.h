/// Raw system calls: they leave errno alone, are no cancellation points and call nothing of libc.
/// Each returns the kernel's value, a negative errno on failure.
#ifndef PERCOLATE_SYSCALLS_H
#define PERCOLATE_SYSCALLS_H

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "layout.h"

/// The call alone, whatever request for a longer time slice stands: for `time_slice.c`.
static inline long percolate_raw_syscall6(long number, long a, long b, long c, long d, long e, long f) {
#if defined(__x86_64__)
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
#else
#error "no system call sequence for this architecture"
#endif
}

/// The call, with no request for a longer time slice standing meanwhile (`time_slice.h`). Its
/// arguments lie where the kernel wants them, and the check is in one place, not in each caller.
long percolate_system_call(long a, long b, long c, long d, long e, long f, long number) PERCOLATE_HIDDEN;

static inline long percolate_syscall6(long number, long a, long b, long c, long d, long e, long f) {
    return percolate_system_call(a, b, c, d, e, f, number);
}

static inline long percolate_mmap(uintptr_t address, size_t length, int protection, int flags) {
    return percolate_syscall6(SYS_mmap, (long)address, (long)length, protection, flags, -1, 0);
}

static inline long percolate_munmap(uintptr_t address, size_t length) {
    return percolate_syscall6(SYS_munmap, (long)address, (long)length, 0, 0, 0, 0);
}

static inline long percolate_mprotect(uintptr_t address, size_t length, int protection) {
    return percolate_syscall6(SYS_mprotect, (long)address, (long)length, protection, 0, 0, 0);
}

static inline long percolate_madvise(uintptr_t address, size_t length, int advice) {
    return percolate_syscall6(SYS_madvise, (long)address, (long)length, advice, 0, 0, 0);
}

/// Moves `length` bytes of pages onto `target`; the source stays mapped and reads as zero (Linux
/// 5.7, mremap(2)).
static inline long percolate_mremap_keep(uintptr_t source, size_t length, uintptr_t target) {
    return percolate_syscall6(
        SYS_mremap, (long)source, (long)length, (long)length, 1 | 2 | 4 /* MAYMOVE | FIXED | DONTUNMAP */, (long)target, 0);
}

/// Names memory in /proc/PID/maps (prctl(2), PR_SET_VMA; Linux 5.17, where it is built in).
static inline void percolate_name_memory(uintptr_t address, size_t length, const char *name) {
    percolate_syscall6(SYS_prctl, 0x53564d41, 0, (long)address, (long)length, (long)name, 0);
}

static inline long percolate_futex_wait(uint32_t *word, uint32_t expected) {
    return percolate_syscall6(SYS_futex, (long)word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, (long)expected, 0, 0, 0);
}

/// As `percolate_futex_wait`, for so many milliseconds at most, less than a second.
static inline long percolate_futex_wait_for(uint32_t *word, uint32_t expected, unsigned milliseconds) {
    struct timespec limit = {0, (long)milliseconds * 1000 * 1000};
    return percolate_syscall6(SYS_futex, (long)word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, (long)expected, (long)&limit, 0, 0);
}

static inline long percolate_futex_wake(uint32_t *word, int waiters) {
    return percolate_syscall6(SYS_futex, (long)word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, waiters, 0, 0, 0);
}

static inline long percolate_membarrier(int command, unsigned flags, int cpu) {
    return percolate_syscall6(SYS_membarrier, command, (long)flags, cpu, 0, 0, 0);
}

static inline long percolate_getaffinity(size_t bytes, uint64_t *mask) {
    return percolate_syscall6(SYS_sched_getaffinity, 0, (long)bytes, (long)mask, 0, 0, 0);
}

static inline long percolate_getrlimit(int resource, struct rlimit *limit) {
    return percolate_syscall6(SYS_prlimit64, 0, resource, 0, (long)limit, 0, 0);
}

static inline long percolate_block_signals(uint64_t *saved) {
    uint64_t all = ~UINT64_C(0);
    return percolate_syscall6(SYS_rt_sigprocmask, SIG_BLOCK, (long)&all, (long)saved, 8, 0, 0);
}

static inline long percolate_restore_signals(const uint64_t *saved) {
    return percolate_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)saved, 0, 8, 0, 0);
}

static inline long percolate_open(const char *path, int flags, int mode) {
    return percolate_syscall6(SYS_openat, AT_FDCWD, (long)path, flags | O_CLOEXEC, mode, 0, 0);
}

/// The kind of a file (S_IFMT of stat(2)), of a symbolic link itself.
static inline long percolate_file_kind(const char *path) {
    struct stat status;
    long result = percolate_syscall6(SYS_newfstatat, AT_FDCWD, (long)path, (long)&status, AT_SYMLINK_NOFOLLOW, 0, 0);
    return result < 0 ? result : (long)(status.st_mode & S_IFMT);
}

static inline long percolate_rename(const char *from, const char *to) {
    return percolate_syscall6(SYS_renameat2, AT_FDCWD, (long)from, AT_FDCWD, (long)to, 0, 0);
}

static inline long percolate_unlink(const char *path) {
    return percolate_syscall6(SYS_unlinkat, AT_FDCWD, (long)path, 0, 0, 0, 0);
}

/// A thread that sees what is stored behind it sees what was stored in front of it.
static inline void percolate_order_stores(void) { __atomic_thread_fence(__ATOMIC_RELEASE); }

/// Has loads before it happen before loads behind it.
static inline void percolate_order_loads(void) { __atomic_thread_fence(__ATOMIC_ACQUIRE); }

static inline long percolate_read(int descriptor, void *bytes, size_t count) {
    return percolate_syscall6(SYS_read, descriptor, (long)bytes, (long)count, 0, 0, 0);
}

static inline long percolate_write(int descriptor, const void *bytes, size_t count) {
    return percolate_syscall6(SYS_write, descriptor, (long)bytes, (long)count, 0, 0, 0);
}

static inline long percolate_close(int descriptor) {
    return percolate_syscall6(SYS_close, descriptor, 0, 0, 0, 0, 0);
}

/// A duplicate of `descriptor`, numbered `lowest` or above, closed by exec (fcntl(2),
/// F_DUPFD_CLOEXEC).
static inline long percolate_duplicate(int descriptor, int lowest) {
    return percolate_syscall6(SYS_fcntl, descriptor, 1030, lowest, 0, 0, 0);
}

static inline long percolate_getpid(void) { return percolate_syscall6(SYS_getpid, 0, 0, 0, 0, 0, 0); }

static inline long percolate_gettid(void) { return percolate_syscall6(SYS_gettid, 0, 0, 0, 0, 0, 0); }

/// Lets other threads run (sched_yield(2)).
static inline void percolate_yield(void) { percolate_syscall6(SYS_sched_yield, 0, 0, 0, 0, 0, 0); }

/// Whether the caller runs on its alternate signal stack (sigaltstack(2)), and whether `address`
/// lies on that stack.
static inline void percolate_alternate_stack(uintptr_t address, bool *runs_there, bool *lies_there) {
    stack_t stack = {0};
    long result = percolate_syscall6(SYS_sigaltstack, 0, (long)&stack, 0, 0, 0, 0);
    bool exists = result == 0 && !(stack.ss_flags & SS_DISABLE);
    *runs_there = exists && stack.ss_flags & SS_ONSTACK;
    *lies_there = exists && address - (uintptr_t)stack.ss_sp < stack.ss_size;
}

/// Sleeps that long, less than a second, or shorter when a signal arrives. By futex(2), which every
/// process may call.
static inline void percolate_nap_microseconds(uint64_t microseconds) {
    uint32_t word = 0;
    struct timespec length = {0, (long)microseconds * 1000};
    percolate_syscall6(SYS_futex, (long)&word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, (long)&length, 0, 0);
}

static inline void percolate_nap(uint64_t milliseconds) { percolate_nap_microseconds(milliseconds * 1000); }

/// The CPU the caller runs on, from the kernel.
static inline int percolate_getcpu(void) {
    unsigned cpu = 0;
    percolate_syscall6(SYS_getcpu, (long)&cpu, 0, 0, 0, 0, 0);
    return (int)cpu;
}

/// Milliseconds of the monotonic clock, in steps of a timer tick (clock_gettime(2),
/// CLOCK_MONOTONIC_COARSE).
static inline uint64_t percolate_milliseconds(void) {
    struct timespec now = {0, 0};
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/// The address that identifies the calling thread: its thread pointer, aligned to at least 16
/// bytes.
static inline uintptr_t percolate_thread_pointer(void) {
#if defined(__x86_64__)
    uintptr_t pointer;
    __asm__("movq %%fs:0, %0" : "=r"(pointer));
    return pointer;
#else
    return (uintptr_t)__builtin_thread_pointer();
#endif
}

static inline void percolate_pause(void) {
#if defined(__x86_64__)
    __asm__ volatile("pause");
#else
    __asm__ volatile("yield");
#endif
}
#endif
