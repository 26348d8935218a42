/// Prints what a process is given: everything that a launcher could change by mistake. What differs
/// between any two runs (the process id) is left out.
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv) {
    for (int index = 0; index < argc; index++) printf("argument %zu [%s]\n", strlen(argv[index]), argv[index]);
    for (char **variable = environ; *variable; variable++) printf("environment [%s]\n", *variable);
    for (int signal = 1; signal <= SIGRTMAX; signal++) {
        struct sigaction action;
        sigset_t blocked;
        if (sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN) printf("ignored signal %d\n", signal);
        if (sigprocmask(SIG_BLOCK, NULL, &blocked) == 0 && sigismember(&blocked, signal) == 1) {
            printf("blocked signal %d\n", signal);
        }
    }
    for (int descriptor = 0; descriptor < 1024; descriptor++) {
        int flags = fcntl(descriptor, F_GETFL);
        if (flags != -1) printf("descriptor %d flags %x\n", descriptor, flags);
    }
    char folder[PATH_MAX];
    printf("folder %s\n", getcwd(folder, sizeof folder));
    printf("mask %o\n", umask(0));
    for (int resource = 0; resource < RLIM_NLIMITS; resource++) {
        struct rlimit limit;
        getrlimit(resource, &limit);
        printf("limit %d %lu %lu\n", resource, (unsigned long)limit.rlim_cur, (unsigned long)limit.rlim_max);
    }
    return 0;
}
