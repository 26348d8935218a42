/// Runs a program for which system calls fail, as a container's filter makes them.
///
///   refuse rseq|membarrier|both ENOSYS|EPERM PROGRAM [ARGUMENT ...]
#include "check.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#if defined(__x86_64__)
enum { own_architecture = AUDIT_ARCH_X86_64 };
#elif defined(__aarch64__)
enum { own_architecture = AUDIT_ARCH_AARCH64 };
#else
#error "no seccomp architecture known for this machine"
#endif

/// Number 334 on x86-64, which glibc's header may not name.
#ifndef SYS_rseq
#define SYS_rseq 334
#endif

int main(int count, char **texts) {
    if (count < 4) fail("refuse rseq|membarrier|both ENOSYS|EPERM PROGRAM [ARGUMENT ...]");
    bool both = strcmp(texts[1], "both") == 0;
    bool rseq = both || strcmp(texts[1], "rseq") == 0, membarrier = both || strcmp(texts[1], "membarrier") == 0;
    if (!rseq && !membarrier) fail("unknown system call: %s", texts[1]);
    int error = strcmp(texts[2], "ENOSYS") == 0 ? ENOSYS : strcmp(texts[2], "EPERM") == 0 ? EPERM : 0;
    if (error == 0) fail("unknown error: %s", texts[2]);
    // A system call number that no call has stands for "not refused".
    uint32_t none = 0x3FFFFFFF, first = rseq ? SYS_rseq : none, second = membarrier ? SYS_membarrier : none;
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, own_architecture, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, first, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, second, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
    execvp(texts[3], texts + 3);
    fail("%s does not start: errno %d", texts[3], errno);
}
