// A C++ program whose operator new finds no memory.
#include "failing_new.h"

int main(int argc, char **argv) { return RUN_CASES(failing_new_cases); }
