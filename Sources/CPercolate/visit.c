#include "percolate/visit.h"

#include "percolate/process.h"
#include "percolate/syscalls.h"

static __thread struct percolate_thread this_thread __attribute__((tls_model("initial-exec")));

struct percolate_thread *percolate_this_thread(void) { return &this_thread; }

uint32_t percolate_thread_number(void) {
    if (this_thread.number == 0) this_thread.number = percolate_new_thread_number();
    return this_thread.number;
}

void percolate_keep_visit(struct percolate_visit *visit) { __asm__ volatile("" : : "r"(visit) : "memory"); }
