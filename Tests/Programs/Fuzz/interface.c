// A fuzzer of the C interface: the input's bytes are a sequence of calls of all entry points, and a
// model of what was handed out says what must hold. Each block is filled with a pattern of its own,
// so blocks that overlap destroy each other's.
//
// Built with -fsanitize=fuzzer it is a libFuzzer target; with -DSTANDALONE it runs the files that
// it is given, or its standard input, as AFL++ wants. The allocator under test is preloaded.
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void free_sized(void *block, size_t size) __attribute__((weak));
void free_aligned_sized(void *block, size_t alignment, size_t size) __attribute__((weak));
// operator delete(void *, std::align_val_t)
void _ZdlPvSt11align_val_t(void *block, size_t alignment) __attribute__((weak));

#define MUST(condition)                                                                                   \
    do {                                                                                                  \
        if (!(condition)) {                                                                               \
            fprintf(stderr, "the model disagrees at line %d: %s\n", __LINE__, #condition);                \
            abort();                                                                                      \
        }                                                                                                 \
    } while (0)

struct input {
    const uint8_t *next, *end;
};

static unsigned take(struct input *input) { return input->next < input->end ? *input->next++ : 0; }

// Sizes of every class, their borders, and some large ones.
static size_t take_size(struct input *input) {
    unsigned digits = take(input), shift = take(input);
    return ((size_t)digits << shift % 15) + shift / 15 % 3 - (digits > 0 && shift & 128);
}

static size_t take_alignment(struct input *input) { return (size_t)8 << take(input) % 14; }

struct block {
    unsigned char *address;
    size_t size;
    // 0 where none was asked for.
    size_t alignment;
    unsigned char seed;
};

enum { slot_count = 64, touched = 512 };
struct model {
    struct block blocks[slot_count];
    unsigned char seeds;
};

static unsigned char expected(const struct block *block, size_t place) { return (unsigned char)(block->seed + place * 7); }

// The first and the last bytes: a large block is not touched as a whole.
static void each_place(struct block *block, bool writes) {
    for (size_t i = 0; i < block->size; i++) {
        if (i == touched && block->size > 2 * touched) i = block->size - touched;
        if (writes) block->address[i] = expected(block, i);
        else MUST(block->address[i] == expected(block, i));
    }
}

static void keep(struct model *model, struct block *block, void *address, size_t size, size_t alignment) {
    MUST(address != NULL);
    MUST((uintptr_t)address % (alignment ? alignment : size <= 8 ? 8 : 16) == 0);
    MUST(malloc_usable_size(address) >= size);
    *block = (struct block){address, size, alignment, model->seeds++};
    each_place(block, true);
}

static void check_prefix(struct block *block, const unsigned char *address, size_t size) {
    size_t kept = size < block->size ? size : block->size;
    for (size_t i = 0; i < kept && i < touched; i++) MUST(address[i] == expected(block, i));
    if (kept == block->size && kept > touched) MUST(address[kept - 1] == expected(block, kept - 1));
}

static void release(struct block *block, unsigned how) {
    if (block->address == NULL) return;
    each_place(block, false);
    if (how % 3 == 1 && free_sized != NULL && block->alignment == 0) {
        free_sized(block->address, block->size);
    } else if (how % 3 == 1 && free_aligned_sized != NULL && block->alignment != 0) {
        free_aligned_sized(block->address, block->alignment, block->size);
    } else if (how % 6 == 3 && _ZdlPvSt11align_val_t != NULL && block->alignment != 0) {
        _ZdlPvSt11align_val_t(block->address, block->alignment);
    } else if (how % 3 == 2) {
        MUST(realloc(block->address, 0) == NULL);
    } else {
        free(block->address);
    }
    block->address = NULL;
}

static void release_all(struct model *model) {
    for (int i = 0; i < slot_count; i++) release(&model->blocks[i], (unsigned)i);
}

static void resize(struct model *model, struct block *block, size_t size, bool isArray) {
    if (size == 0) return;
    unsigned char *moved = isArray ? reallocarray(block->address, size, 1) : realloc(block->address, size);
    MUST(moved != NULL);
    if (block->address != NULL) check_prefix(block, moved, size);
    keep(model, block, moved, size, 0);
}

static void refuse(unsigned which) {
    void *block = &block;
    errno = 0;
    switch (which % 6) {
    case 0: MUST(malloc((size_t)PTRDIFF_MAX + 1 + which) == NULL && errno == ENOMEM); break;
    case 1: MUST(calloc(SIZE_MAX / 2, 3) == NULL && errno == ENOMEM); break;
    case 2: MUST(reallocarray(NULL, SIZE_MAX / 2, 3) == NULL && errno == ENOMEM); break;
    case 3: MUST(aligned_alloc(24, 48) == NULL && errno == EINVAL); break;
    case 4: MUST(posix_memalign(&block, 24, 48) == EINVAL && block == &block && errno == 0); break;
    default: MUST(posix_memalign(&block, 64, SIZE_MAX - 100) == ENOMEM && block == &block && errno == 0); break;
    }
}

// The child has every block, and may free each.
static void fork_and_free(struct model *model) {
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        release_all(model);
        _exit(0);
    }
    int status = 0;
    pid_t waited;
    // The fuzzer's alarm may interrupt it.
    do waited = waitpid(child, &status, 0);
    while (waited < 0 && errno == EINTR);
    MUST(waited == child && status == 0);
}

static void run(struct model *model, struct input *input, int depth);

struct part {
    struct model *model;
    struct input input;
};

static void *run_part(void *argument) {
    struct part *part = argument;
    run(part->model, &part->input, 1);
    return NULL;
}

// Two threads at once: one goes on with the caller's blocks, one has its own and shares nothing but
// the allocator.
static void run_threads(struct model *model, struct input *input) {
    size_t length = (size_t)(input->end - input->next) / 4;
    struct model *other = calloc(1, sizeof *other);
    MUST(other != NULL);
    struct part parts[2] = {{model, {input->next, input->next + length}},
                            {other, {input->next + length, input->next + 2 * length}}};
    input->next += 2 * length;
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) MUST(pthread_create(&threads[i], NULL, run_part, &parts[i]) == 0);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    release_all(other);
    free(other);
}

static void run(struct model *model, struct input *input, int depth) {
    while (input->next < input->end) {
        unsigned operation = take(input);
        struct block *block = &model->blocks[take(input) % slot_count];
        void *address = NULL;
        size_t size, alignment;
        if (operation % 16 < 6) release(block, operation / 16);
        switch (operation % 16) {
        case 0:
            size = take_size(input);
            keep(model, block, malloc(size), size, 0);
            break;
        case 1:
            size = take_size(input);
            address = calloc(size, 1);
            MUST(address != NULL);
            for (size_t i = 0; i < size; i += i < touched ? 1 : 509) MUST(((char *)address)[i] == 0);
            keep(model, block, address, size, 0);
            break;
        case 2:
            alignment = take_alignment(input);
            size = take_size(input);
            keep(model, block, aligned_alloc(alignment, size), size, alignment);
            break;
        case 3:
            alignment = take_alignment(input);
            size = take_size(input);
            MUST(posix_memalign(&address, alignment, size) == 0);
            keep(model, block, address, size, alignment);
            break;
        case 4:
            size = take_size(input);
            keep(model, block, valloc(size), size, 4096);
            break;
        case 5:
            alignment = take_alignment(input);
            size = take_size(input);
            keep(model, block, memalign(alignment, size), size, alignment);
            break;
        case 6:
        case 7: resize(model, block, take_size(input), operation & 16); break;
        case 8:
        case 9:
        case 10: release(block, operation / 16); break;
        case 11:
            if (block->address != NULL) MUST(malloc_usable_size(block->address) >= block->size);
            break;
        case 12: refuse(operation / 16); break;
        case 13:
            if (operation < 64) malloc_trim(0);
            break;
        case 14:
            if (depth == 0 && operation < 128) run_threads(model, input);
            break;
        default:
            if (depth == 0 && operation < 64) fork_and_free(model);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    static struct model model;
    struct input input = {bytes, bytes + count};
    run(&model, &input, 0);
    release_all(&model);
    return 0;
}

#ifdef STANDALONE
static int run_stream(FILE *stream) {
    static uint8_t bytes[1 << 16];
    if (stream == NULL) return 1;
    size_t count = fread(bytes, 1, sizeof bytes, stream);
    return LLVMFuzzerTestOneInput(bytes, count);
}

int main(int argc, char **argv) {
    if (argc < 2) return run_stream(stdin);
    for (int i = 1; i < argc; i++) {
        FILE *stream = fopen(argv[i], "rb");
        if (run_stream(stream) != 0) return 1;
        fclose(stream);
    }
    return 0;
}
#endif
