// A long run without a leak: requests that die young, sessions that live long, a cache whose entries change size. The live
// set is the same at every mark, so growth between the marks is the allocator's.
#include "workload.h"

enum { sessions = 4000, entries = 2000 };

int main(int argc, char **argv) {
    workload_begin(argc, argv);
    uint64_t requests = workload_amount("operations", 3000000);
    workload_arguments_end();
    struct random_source source = random_seeded(11);
    void **session = table(sessions, sizeof(void *));
    void **entry = table(entries, sizeof(void *));
    const char *names[] = {"quarter", "half", "three quarters", "end"};
    for (uint64_t done = 0; done < requests; done++) {
        void *young[24];
        uint64_t count = random_between(&source, 4, 24);
        for (uint64_t i = 0; i < count; i++) young[i] = allocate_written(random_program_size(&source));
        uint64_t at = random_below(&source, sessions);
        free(session[at]);
        session[at] = allocate_written(random_between(&source, 200, 400));
        if (done % 8 == 0) {
            // Sizes of the cache drift through the run: what was right for the first quarter is wrong for the last.
            uint64_t base = 500 + 4 * (done * 1000 / requests);
            at = random_below(&source, entries);
            free(entry[at]);
            entry[at] = allocate_written(random_between(&source, base, base + 3000 - base / 2));
        }
        for (uint64_t i = count; i > 0; i--) free(young[i - 1]);
        if ((done + 1) % (requests / 4) == 0) mark(names[((done + 1) / (requests / 4) - 1) & 3]);
    }
    for (uint64_t i = 0; i < sessions; i++) free(session[i]);
    for (uint64_t i = 0; i < entries; i++) free(entry[i]);
}
