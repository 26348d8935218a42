// A program that is traced from its start, for those who read what it used at its end.
//
// The number is read while the process is still whole, at the ptrace stop in front of its exit.
// `ru_maxrss` would not do: it survives exec and so includes whoever started the program.
#ifndef TRACED_H
#define TRACED_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *tool;

static inline void fail(const char *what) {
    fprintf(stderr, "%s: %s: %s\n", tool, what, strerror(errno));
    exit(125);
}

// Starts a command, with these ptrace options besides those that all have.
static inline pid_t start_traced(char **command, long more) {
    int go[2];
    if (pipe2(go, O_CLOEXEC) != 0) fail("pipe");
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) {
        char byte;
        if (read(go[0], &byte, 1) != 1) _exit(125);
        execvp(command[0], command);
        int code = errno == ENOENT ? 127 : 126;
        fprintf(stderr, "%s: %s: %s\n", tool, command[0], strerror(errno));
        _exit(code);
    }
    // Threads are followed because in a program that any other thread ends, the first thread is
    // killed and may pass by without a stop.
    long options = PTRACE_O_TRACEEXIT | PTRACE_O_TRACEEXEC | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL | more;
    if (ptrace(PTRACE_SEIZE, child, NULL, (void *)options) != 0) fail("cannot trace");
    if (write(go[1], "g", 1) != 1) fail("pipe");
    close(go[0]);
    close(go[1]);
    return child;
}

// The exit code of a program that ended with `status`; ends by the same signal where one ended it.
static inline int end_as(int status) {
    if (WIFSIGNALED(status)) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        signal(WTERMSIG(status), SIG_DFL);
        raise(WTERMSIG(status));
    }
    return WEXITSTATUS(status);
}

#endif
