/// A shared object that is no allocator and, as its macros tell, is in the way of every program that it is loaded into.
#include <signal.h>
#include <unistd.h>

__attribute__((constructor)) static void misbehave(void) {
#if defined(CRASH)
    raise(SIGSEGV);
#elif defined(FAIL)
    _exit(5);
#elif defined(HANG)
    for (;;) pause();
#endif
}
