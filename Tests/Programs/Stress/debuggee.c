/// What gdb is let loose on: pointers to the allocator's entry points that gdb can read, a function
/// to stop in, a loop of checked allocations, and a count of the finished ones.
#include "check.h"

#include <dlfcn.h>

void *(*entry_malloc)(size_t);
void (*entry_free)(void *);
volatile unsigned long completed;

__attribute__((noinline)) void before_operations(void) { __asm__ volatile("" ::: "memory"); }

__attribute__((noinline)) void operations(unsigned long count) {
    for (unsigned long i = 0; i < count; i++) {
        size_t size = 16 + i % 50 * 16;
        unsigned char *first = entry_malloc(size), *second = entry_malloc(size);
        CHECK(first != NULL && second != NULL && first != second);
        memset(first, 1, size);
        memset(second, 2, size);
        for (size_t j = 0; j < size; j++) CHECK(first[j] == 1);
        entry_free(first);
        entry_free(second);
        completed = i + 1;
    }
}

__attribute__((noinline)) void after_operations(void) { __asm__ volatile("" ::: "memory"); }

int main(int count, char **texts) {
    uint64_t turns = count > 1 ? number_argument(texts[1]) : 500;
    *(void **)&entry_malloc = dlsym(RTLD_DEFAULT, "malloc");
    *(void **)&entry_free = dlsym(RTLD_DEFAULT, "free");
    CHECK(entry_malloc != NULL && entry_free != NULL);
    // The first call of a process starts the allocator, which takes a debugger longer than a turn.
    entry_free(entry_malloc(16));
    before_operations();
    operations(turns);
    after_operations();
    printf("debuggee: %lu arrived\n", completed);
    return 0;
}
