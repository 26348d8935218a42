// Takes system calls away: the kernel is told to answer and to do nothing.
#ifndef WITHOUT_CALLS_H
#define WITHOUT_CALLS_H

#include <dlfcn.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/membarrier.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

// libc's own prctl is called: by the allocator's, vectors would know of the filter and make no such
// call.
static void install(struct sock_filter *code, unsigned short length) {
    struct sock_fprog program = {length, code};
    void *libc = dlopen("libc.so.6", RTLD_LAZY);
    int (*call)(int, unsigned long, unsigned long, unsigned long, unsigned long) = NULL;
    if (libc) { *(void **)&call = dlsym(libc, "prctl"); }
    if (!call || call(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        call(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, (unsigned long)&program, 0, 0) != 0) {
        perror("seccomp");
        exit(77);
    }
}

/// From now on the fence returns `-error` without having fenced; 0 looks like success.
static inline void answer_fences_with(int error) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    install(code, sizeof code / sizeof *code);
}

/// From now on the system call of that number returns `-error`.
static inline void answer_call_with(unsigned number, int error) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    install(code, sizeof code / sizeof *code);
}

#endif
