// Starts `/bin/true` over and over: what an allocator costs a program that does nothing.
#include "workload.h"

#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

int main(int argc, char **argv) {
    workload_begin(argc, argv);
    uint64_t starts = workload_amount("starts", 500);
    workload_arguments_end();
    char *arguments[] = {"true", NULL};
    for (uint64_t i = 0; i < starts; i++) {
        pid_t child;
        int status;
        if (posix_spawn(&child, "/bin/true", NULL, NULL, arguments, environ) != 0) workload_fail("cannot start true");
        if (waitpid(child, &status, 0) != child || status != 0) workload_fail("true failed");
    }
}
