// peak [-o FILE] PROGRAM [ARG ...]
//
// Runs PROGRAM and writes the peak resident size of its address space (VmHWM, in KiB, one line with
// the bare number) to FILE, or to standard error. Ends as PROGRAM ended: the same exit code, or the
// same signal.
//
// After an exec only the new address space counts; processes that PROGRAM starts do not.
#define _GNU_SOURCE
#include "traced.h"

// The value of a `Name:   number` line of /proc/<task>/status, or -1 when the task has no such line
// (any more).
static long status_value(pid_t task, const char *name) {
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", (int)task);
    FILE *file = fopen(path, "re");
    if (file == NULL) return -1;
    long value = -1;
    size_t length = strlen(name);
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, name, length) == 0 && line[length] == ':') {
            value = strtol(line + length + 1, NULL, 10);
            break;
        }
    }
    fclose(file);
    return value;
}

int main(int argc, char **argv) {
    tool = "peak";
    const char *target = NULL;
    int first = 1;
    if (argc > 2 && strcmp(argv[1], "-o") == 0) {
        target = argv[2];
        first = 3;
    }
    if (first >= argc) {
        fprintf(stderr, "usage: peak [-o FILE] PROGRAM [ARG ...]\n");
        return 125;
    }
    pid_t child = start_traced(argv + first, 0);
    long highest = -1;
    int status, end;
    for (;;) {
        pid_t task = waitpid(-1, &status, __WALL);
        if (task < 0 && errno == EINTR) continue;
        if (task < 0) fail("wait");
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            if (task != child) continue;
            end = status;
            break;
        }
        int event = status >> 16, deliver = 0;
        if (event == PTRACE_EVENT_EXIT) {
            // A clone that shares nothing is traced as well, but its address space is not the
            // program's.
            if (status_value(task, "Tgid") == child) {
                long now = status_value(task, "VmHWM");
                if (now > highest) highest = now;
            }
        } else if (event == PTRACE_EVENT_EXEC) {
            if (task == child) highest = -1;
        } else if (event == PTRACE_EVENT_STOP && WSTOPSIG(status) != SIGTRAP) {
            ptrace(PTRACE_LISTEN, task, NULL, NULL);
            continue;
        } else if (event == 0) {
            deliver = WSTOPSIG(status);
        }
        ptrace(PTRACE_CONT, task, NULL, (void *)(long)deliver);
    }
    if (highest < 0) {
        fprintf(stderr, "peak: the program was gone before its peak could be read\n");
    } else {
        FILE *out = target != NULL ? fopen(target, "we") : stderr;
        if (out == NULL) fail(target);
        fprintf(out, "%ld\n", highest);
        if (target != NULL && fclose(out) != 0) fail(target);
    }
    return end_as(end);
}
