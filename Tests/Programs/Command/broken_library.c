/// A shared object that is no allocator and, as its macros tell, is in the way of every program
/// that it is loaded into.
#include <signal.h>
#include <unistd.h>

/// By this name the command knows a library of Percolate.
const int percolate_heap_interface;

__attribute__((constructor)) static void misbehave(void) {
#if defined(CRASH)
    raise(SIGSEGV);
#elif defined(FAIL)
    _exit(5);
#elif defined(HANG)
    for (;;) pause();
#endif
}
