/// Loads one library in the place of another, whose frames are larger: the stacks of both are
/// whole.
///
///   reloaded FIRST SECOND
#include "samples.h"

typedef void *work_function(void);

/// What a call through here left in `kept`.
static void *volatile kept;

__attribute__((noinline, noclone, section("site_call"))) void call_work(work_function *work) {
    kept = work();
    __asm__ volatile("");
}

extern const char __start_site_call[], __stop_site_call[];

static void *load_and_call(const char *path) {
    void *library = dlopen(path, RTLD_NOW);
    CHECK(library != NULL);
    work_function *work = (work_function *)dlsym(library, "work");
    CHECK(work != NULL);
    call_work(work);
    uint64_t number = 0;
    while (number < heap->samples->record_count && sample_at(number)->address != (uint64_t)kept) number++;
    CHECK(number < heap->samples->record_count);
    const struct percolate_sample_site *site = site_at(sample_at(number)->site);
    if (!passes(site, __start_site_call, __stop_site_call)) fail("%s: a stack of %u frames", path, site->depth);
    CHECK(dlclose(library) == 0);
    return (void *)work;
}

int main(int argc, char **argv) {
    CHECK(argc == 3);
    find_heap();
    CHECK(heap->set_sampling(1, 0));
    void *first = load_and_call(argv[1]);
    void *second = load_and_call(argv[2]);
    if (first != second) fail("%p and then %p: not the same place", first, second);
    puts("reloaded: whole stacks");
    return 0;
}
