// Frees a block twice in the child of a fork. The parent ends as the child did.
#include "small.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    char *block = obtain(malloc(100));
    pid_t child = fork();
    if (child == 0) {
        free(block);
        free(obtain(malloc(100)));
        if (!BENIGN) free(block);
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) {
        signal(WTERMSIG(status), SIG_DFL);
        raise(WTERMSIG(status));
    }
    return WEXITSTATUS(status);
}
