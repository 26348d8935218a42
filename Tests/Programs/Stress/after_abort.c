/// A handler of SIGABRT goes on after a misuse of the allocator, as test harnesses do: it waits for
/// a thread that allocates, and leaves by a jump. The heap must be whole afterwards.
///
///   after_abort large|interior|wrong-size|small
#include "check.h"

#include <dlfcn.h>
#include <setjmp.h>

static sigjmp_buf before;

static void *allocate(void *unused) {
    (void)unused;
    for (size_t size = 8; size < 1 << 20; size = size * 3 / 2) free(malloc(size));
    return NULL;
}

static void handle(int number) {
    (void)number;
    pthread_t thread;
    CHECK_ZERO(pthread_create(&thread, NULL, allocate, NULL));
    CHECK_ZERO(pthread_join(thread, NULL));
    siglongjmp(before, 1);
}

enum { blocks_count = 100000 };
static char *blocks[blocks_count];

static void misuse(const char *how) {
    char *volatile large = malloc(1 << 20);
    if (strcmp(how, "large") == 0) {
        free(large);
        free(large);
    } else if (strcmp(how, "interior") == 0) {
        free(large + 4096);
    } else if (strcmp(how, "wrong-size") == 0) {
        void (*sized)(void *, size_t) = (void (*)(void *, size_t))dlsym(RTLD_DEFAULT, "free_sized");
        CHECK(sized != NULL);
        sized(large, 2 << 20);
    } else {
        // Found when its batch reaches its span.
        for (int i = 0; i < blocks_count; i++) CHECK((blocks[i] = malloc(100)) != NULL);
        for (int i = 0; i < blocks_count; i++) free(blocks[i] + (i == blocks_count / 2 ? 8 : 0));
    }
    fail("the misuse was not seen");
}

int main(int count, char **texts) {
    watch("a handler of SIGABRT", 60);
    struct sigaction action = {.sa_handler = handle};
    CHECK(sigaction(SIGABRT, &action, NULL) == 0);
    if (sigsetjmp(before, 1) == 0) misuse(count > 1 ? texts[1] : "large");
    for (int i = 0; i < 100000; i++) CHECK((blocks[i] = malloc(1000)) != NULL);
    for (int i = 0; i < 1000; i++) CHECK(malloc(300000) != NULL);
    for (int i = 0; i < 100000; i++) free(blocks[i]);
    puts("after_abort: the heap is whole");
    return 0;
}
