// A C++ plug-in whose operator new finds no memory: built as a shared object and loaded by
// plugin_host.c.
#include "failing_new.h"

extern "C" __attribute__((visibility("default"))) int run_plugin(int argc, char **argv) {
    return RUN_CASES(failing_new_cases);
}
