// Who serves: prints for every name given as an argument the file that defines it, one line each,
// `-` for none.
#include "check.h"

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        void *function = dlsym(RTLD_DEFAULT, argv[i]);
        Dl_info info;
        const char *file = function != NULL && dladdr(function, &info) != 0 ? info.dli_fname : "-";
        say("%s %s", argv[i], file);
    }
    return 0;
}
