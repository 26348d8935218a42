#include "percolate/options.h"

#define SWITCH "on|off"
#define SIZE "4096|64K|4MB|2GiB"

static const struct percolate_option options[] = {
    {"stats", "stderr|PATH|off", "Write statistics at the end; every process but `main` adds its id to PATH."},
    {"stats-format", "text|json|prometheus", "Their format, where the end of PATH does not say it."},
    {"main", "PID", "The process whose statistics go to exactly PATH."},
    {"hardened", "off|basic|on", "Look up every free, or find all that memory can show. Slower."},
    {"quarantine", SIZE, "Bytes of freed blocks that hardened=on keeps from reuse."},
    {"cache", SIZE "|auto", "Bytes of free blocks that the caches of one CPU may hold."},
    {"release", "prompt|lazy|never", "When free pages go back to the kernel."},
    {"background", SWITCH "|auto", "A thread that returns memory, in processes that have threads."},
    {"huge", SWITCH "|auto", "Huge pages for dense parts of a large heap."},
    {"limit", SIZE, "Bytes of pages in use that no allocation exceeds."},
    {"soft", SIZE, "Bytes of resident pages above which free ones go back at once."},
    {"reserve", SIZE, "Bytes of addresses that the heap may use."},
    {"sample", SIZE, "Mean bytes between samples of the heap profile; 0 takes none."},
    {"guard", SIZE, "Mean bytes between guarded blocks; 0 guards none."},
    {"profile", "PATH|off", "Write the heap profile at the end; every process but `main` adds its id to PATH."},
    {"leaks", SWITCH, "Say at the end what was not freed, of the sampled blocks."},
    {"rseq", SWITCH "|auto", "Restartable sequences, where the kernel has them."},
    {"membarrier", SWITCH "|auto", "membarrier(2), where the kernel has it."},
    {"slice", SWITCH "|auto", "Longer time slices for holders of locks, where the kernel has them."},
    {"index", "auto|cpu_id|mm_cid", "What caches are indexed by."},
};

const struct percolate_option *percolate_option(size_t number) {
    return number < sizeof options / sizeof *options ? &options[number] : NULL;
}
