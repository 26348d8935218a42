// Runs the program of its arguments where every fence of restartable sequences looks like success
// and does nothing:
//
//     without_fences PROGRAM [ARGUMENT...]
#define _GNU_SOURCE
#include "without_calls.h"

#include <unistd.h>

int main(int argc, char **argv) {
    if (argc < 2) { return 2; }
    answer_fences_with(0);
    execv(argv[1], argv + 1);
    perror(argv[1]);
    return 2;
}
