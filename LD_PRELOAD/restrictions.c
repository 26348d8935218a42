/// Calls by which a program restricts itself after start. The allocator has to know: it reserves
/// addresses that a limit would count, and makes system calls that a filter may not allow. Each
/// works as libc's own.
///
/// A program may also make these system calls by itself. Then a limit of addresses counts what the
/// heap reserved (`reserve=` says how much), and a filter must allow what README lists.
#define _GNU_SOURCE
#include <errno.h>
#include <percolate/process.h>
#include <percolate/syscalls.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core.h"

#define EXPORTED __attribute__((visibility("default")))

static int outcome(long result) {
    if (result >= 0) return (int)result;
    errno = (int)-result;
    return -1;
}

static int change_limit(pid_t process, int resource, const struct rlimit *limit, struct rlimit *old) {
    int is_own = process == 0 || process == getpid();
    if (limit && resource == RLIMIT_AS && is_own && limit->rlim_cur != RLIM_INFINITY)
        percolate_give_up_reservation(limit->rlim_cur);
    return outcome(percolate_syscall6(SYS_prlimit64, process, resource, (long)limit, (long)old, 0, 0));
}

/// Under other names: <sys/resource.h> gives them parameters of enumerated types.
int percolate_setrlimit(int resource, const struct rlimit *limit) __asm__("setrlimit");
int percolate_setrlimit64(int resource, const struct rlimit *limit) __asm__("setrlimit64");
int percolate_prlimit(pid_t process, int resource, const struct rlimit *limit, struct rlimit *old) __asm__("prlimit");
int percolate_prlimit64(pid_t process, int resource, const struct rlimit *limit, struct rlimit *old) __asm__("prlimit64");
int percolate_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d) __asm__("prctl");

EXPORTED int percolate_setrlimit(int resource, const struct rlimit *limit) {
    return change_limit(0, resource, limit, NULL);
}

EXPORTED int percolate_setrlimit64(int resource, const struct rlimit *limit) {
    return change_limit(0, resource, limit, NULL);
}

EXPORTED int percolate_prlimit(pid_t process, int resource, const struct rlimit *limit, struct rlimit *old) {
    return change_limit(process, resource, limit, old);
}

EXPORTED int percolate_prlimit64(pid_t process, int resource, const struct rlimit *limit, struct rlimit *old) {
    return change_limit(process, resource, limit, old);
}

/// A process without privilege may lock as many addresses as RLIMIT_MEMLOCK says, reserved or not.
/// Where that is not enough the unused ones go; what stays reserved are tables for eight times the
/// limit.
EXPORTED int mlockall(int flags) {
    long result = percolate_syscall6(SYS_mlockall, flags, 0, 0, 0, 0, 0);
    struct rlimit limit;
    if (result == -ENOMEM && percolate_getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur < RLIM_INFINITY / 4) {
        percolate_give_up_reservation(limit.rlim_cur * 4);
        result = percolate_syscall6(SYS_mlockall, flags, 0, 0, 0, 0, 0);
    }
    return outcome(result);
}

/// syscall(SYS_seccomp, ...), which the assembly of `syscall` sends here.
__attribute__((visibility("hidden"))) long percolate_program_seccomp(long number, unsigned long operation, unsigned long flags, void *argument) {
    percolate_prepare_restriction();
    return outcome(percolate_syscall6(number, (long)operation, (long)flags, (long)argument, 0, 0, 0));
}

/// A filter of system calls comes by PR_SET_SECCOMP, or by seccomp(2), mostly after
/// PR_SET_NO_NEW_PRIVS.
EXPORTED int percolate_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d) {
    if (option == PR_SET_SECCOMP || (option == PR_SET_NO_NEW_PRIVS && a == 1)) percolate_prepare_restriction();
    return outcome(percolate_syscall6(SYS_prctl, option, (long)a, (long)b, (long)c, (long)d, 0));
}
