#include "percolate/visit.h"

#include "percolate/process.h"
#include "percolate/syscalls.h"

__thread struct percolate_thread percolate_thread_record;

uint32_t percolate_find_thread_number(void) {
    percolate_thread_record.number = percolate_new_thread_number();
    return percolate_thread_record.number;
}
