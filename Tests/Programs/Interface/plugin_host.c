// plugin_host PLUGIN CASE: a C program that loads a C++ plug-in as an interpreter loads an
// extension: out of the global scope, and with it the C++ library, of which the program itself
// knows nothing.
#include "check.h"

int main(int argc, char **argv) {
    REQUIRE(argc > 1, "a plug-in's path");
    REQUIRE(dlsym(RTLD_DEFAULT, "__cxa_throw") == NULL, "no C++ library in the global scope");
    void *plugin = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    REQUIRE(plugin != NULL, "the plug-in to load: %s", dlerror());
    int (*run)(int, char **) = (int (*)(int, char **))dlsym(plugin, "run_plugin");
    REQUIRE(run != NULL, "the plug-in to have run_plugin");
    return run(argc - 1, argv + 1);
}
