#define _GNU_SOURCE
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

double monotonic_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

bool failed(char failure[256], const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(failure, 256, format, arguments);
    va_end(arguments);
    return false;
}

static int redirect(const char *path, int to) {
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file < 0) return -1;
    if (dup2(file, to) < 0) return -1;
    return close(file);
}

/// Runs between vfork and exec: only system calls, and only one store to memory that the parent reads.
static int become(const struct measure_command *command, bool traced) {
    int input = open(command->input != NULL ? command->input : "/dev/null", O_RDONLY | O_CLOEXEC);
    if (input < 0 || dup2(input, 0) < 0) return errno;
    if (redirect(command->output, 1) != 0 || redirect(command->errors, 2) != 0) return errno;
    if (command->directory != NULL && chdir(command->directory) != 0) return errno;
    if (command->user != 0) {
        if (setgroups(0, NULL) != 0 || setgid(command->group) != 0 || setuid(command->user) != 0) return errno;
    }
    if (traced && ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) return errno;
    // The caller may be a thread that blocks signals, and a server that cannot be asked to end would never end.
    sigset_t none;
    sigemptyset(&none);
    if (sigprocmask(SIG_SETMASK, &none, NULL) != 0) return errno;
    execve(command->path, command->arguments, command->environment);
    return errno;
}

pid_t process_start(const struct measure_command *command, bool traced) {
    volatile int error = 0;
    pid_t child = vfork();
    if (child == 0) {
        error = become(command, traced);
        _exit(127);
    }
    if (child > 0 && error != 0) {
        errno = error;
        return -1;
    }
    return child;
}

int command_run(const struct measure_command *command) {
    pid_t child = process_start(command, false);
    if (child < 0) return -1;
    int status;
    while (waitpid(child, &status, 0) != child) {
        if (errno != EINTR) return -1;
    }
    return status;
}

static char *read_whole(pid_t process, const char *name) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)process, name);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return NULL;
    size_t length = 0, room = 65536;
    char *text = malloc(room);
    while (text != NULL) {
        ssize_t got = read(file, text + length, room - length - 1);
        if (got <= 0) break;
        length += (size_t)got;
        if (room - length > 4096) continue;
        char *larger = realloc(text, room * 2);
        if (larger == NULL) break;
        text = larger;
        room *= 2;
    }
    close(file);
    if (text != NULL) text[length] = 0;
    return text;
}

bool process_read(pid_t process, const char *library, struct process_exit *values) {
    *values = (struct process_exit){0};
    char *status = read_whole(process, "status");
    const char *peak = status == NULL ? NULL : strstr(status, "VmHWM:");
    if (peak != NULL) values->peak_resident_bytes = strtoull(peak + 6, NULL, 10) * 1024;
    free(status);

    // The name, in parentheses, may hold spaces; fields are counted from its end. Faults: 10, 11 own; 12, 13 major.
    char *stat = read_whole(process, "stat");
    const char *field = stat == NULL ? NULL : strrchr(stat, ')');
    unsigned long long minor = 0, minor_children = 0, major = 0, major_children = 0;
    int scanned = field == NULL ? 0
                                : sscanf(field, ") %*c %*d %*d %*d %*d %*d %*u %llu %llu %llu %llu", &minor,
                                         &minor_children, &major, &major_children);
    free(stat);
    values->minor_faults = minor + minor_children;
    values->major_faults = major + major_children;

    if (library != NULL) {
        char *maps = read_whole(process, "maps");
        values->library_mapped = maps != NULL && strstr(maps, library) != NULL;
        free(maps);
    }
    return peak != NULL && scanned == 4;
}

uint64_t process_resident(pid_t process) {
    char path[64], text[256];
    snprintf(path, sizeof path, "/proc/%d/statm", (int)process);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    if (length <= 0) return 0;
    text[length] = 0;
    unsigned long long pages = 0;
    if (sscanf(text, "%*u %llu", &pages) != 1) return 0;
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}
