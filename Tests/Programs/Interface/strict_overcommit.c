// strict_overcommit PROGRAM [ARG ...]: runs PROGRAM while vm.overcommit_memory is 2, restores the
// old mode, and ends with PROGRAM's exit code. Says "skipped" and why, with exit code 77, where it
// cannot.
//
// The mode is the whole machine's. A process of its own watches this one and restores the mode
// whatever ends it, and nothing is done where little of the commit limit is left.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const mode_path = "/proc/sys/vm/overcommit_memory";

static void skip(const char *why) {
    printf("skipped: %s\n", why);
    exit(77);
}

static int write_mode(char mode) {
    int file = open(mode_path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return -1;
    ssize_t written = write(file, &mode, 1);
    close(file);
    return written == 1 ? 0 : -1;
}

// The number of a line of /proc/meminfo, in KiB.
static long meminfo(const char *name) {
    FILE *file = fopen("/proc/meminfo", "re");
    if (file == NULL) skip("/proc/meminfo is not readable");
    char line[256];
    long value = -1;
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0) value = atol(line + strlen(name) + 1);
    }
    fclose(file);
    return value;
}

// A grandchild in a session of its own, which waits for the pipe to close: that is, for this
// process to end.
static void start_guard(char old_mode) {
    int alive[2], ready[2];
    if (pipe2(alive, O_CLOEXEC) != 0 || pipe2(ready, O_CLOEXEC) != 0) skip("no pipe");
    pid_t child = fork();
    if (child < 0) skip("no process");
    if (child == 0) {
        if (setsid() < 0 || fork() != 0) _exit(0);
        close(alive[1]);
        // Whoever reads the test's output must not wait for the guard.
        int null = open("/dev/null", O_RDWR);
        for (int i = 0; i < 3; i++) dup2(null, i);
        char byte = 'r';
        if (write(ready[1], &byte, 1) != 1) _exit(1);
        while (read(alive[0], &byte, 1) < 0 && errno == EINTR) continue;
        _exit(write_mode(old_mode) == 0 ? 0 : 1);
    }
    waitpid(child, NULL, 0);
    close(alive[0]);
    close(ready[1]);
    char byte;
    if (read(ready[0], &byte, 1) != 1) skip("the guard did not start");
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: strict_overcommit PROGRAM [ARG ...]\n");
        return 2;
    }
    char old_mode = 0;
    int file = open(mode_path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || read(file, &old_mode, 1) != 1) skip("vm.overcommit_memory is not readable");
    close(file);
    if (access(mode_path, W_OK) != 0) skip("vm.overcommit_memory is not writable: not root, or a container");
    if (meminfo("CommitLimit") - meminfo("Committed_AS") < 4L << 20) skip("less than 4 GiB could still be committed");
    start_guard(old_mode);
    if (write_mode('2') != 0) skip("vm.overcommit_memory cannot be set to 2");
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        execvp(argv[1], argv + 1);
        _exit(127);
    }
    int status = 0;
    if (child > 0) waitpid(child, &status, 0);
    if (write_mode(old_mode) != 0) {
        fprintf(stderr, "strict_overcommit: vm.overcommit_memory could not be set back to %c\n", old_mode);
        return 3;
    }
    if (child < 0) skip("no process");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
