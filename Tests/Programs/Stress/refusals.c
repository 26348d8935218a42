/// Random operations against a model, while the kernel refuses system calls of the layer of pages
/// by turns: mmap, munmap, mprotect, madvise and mremap. After a refusal nothing is lost and
/// nothing overlaps, and the same call works once the kernel serves again.
///
///     refusals all|mmap|munmap|mprotect|madvise|mremap STEPS SEED
///
/// A filter turns those calls into SIGSYS, whose handler refuses them or makes them in place of the
/// caller. The program has one thread, and the allocator must have none of its own
/// (`background=0`).
#include "check.h"
#include "trim.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <ucontext.h>

long own_call(long number, const long arguments[6]);
extern const char own_call_end[];

// The filter knows the handler's own calls by the address behind their instruction.
#if defined(__x86_64__)
__asm__(".globl own_call, own_call_end\n"
        "own_call:\n"
        "  mov %rdi, %rax\n  mov %rsi, %r11\n"
        "  mov (%r11), %rdi\n  mov 8(%r11), %rsi\n  mov 16(%r11), %rdx\n"
        "  mov 24(%r11), %r10\n  mov 32(%r11), %r8\n  mov 40(%r11), %r9\n"
        "  syscall\n"
        "own_call_end:\n  ret\n");
#elif defined(__aarch64__)
__asm__(".globl own_call, own_call_end\n"
        "own_call:\n"
        "  mov x8, x0\n  mov x9, x1\n"
        "  ldp x0, x1, [x9]\n  ldp x2, x3, [x9, 16]\n  ldp x4, x5, [x9, 32]\n"
        "  svc 0\n"
        "own_call_end:\n  ret\n");
#else
#error "no system calls known for this machine"
#endif

/// The handler has a source of its own.
static struct random random_source, refusal_source;
/// The call that may be refused, 0 for any; and whether the kernel refuses now.
static long refused_call;
static volatile bool is_refusing;
/// Refusals of each call, and of the current operation.
static volatile unsigned long refusals[5], refused_now;
static const long calls[5] = {SYS_mmap, SYS_munmap, SYS_mprotect, SYS_madvise, SYS_mremap};

/// The error of a refused call. mremap(2) may have unmapped its target by then; where it says
/// EFAULT, the next block is moved all the same.
static long refuse(long number, const long arguments[6]) {
    refused_now = refused_now + 1;
    for (int i = 0; i < 5; i++) refusals[i] = refusals[i] + (calls[i] == number);
    if (number == SYS_madvise) return arguments[2] == MADV_DONTNEED ? -EINVAL : -ENOMEM;
    if (number != SYS_mremap) return -ENOMEM;
    uint64_t kind = random_below(&refusal_source, 100);
    if (kind == 0) return -EPERM;
    long target[6] = {arguments[4], arguments[2]};
    CHECK(own_call(SYS_munmap, target) == 0);
    return kind == 1 ? -ENOMEM : -EFAULT;
}

static void serve(int signal, siginfo_t *information, void *context) {
    (void)signal;
    long number = information->si_syscall;
#if defined(__x86_64__)
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    long arguments[6] = {registers[REG_RDI], registers[REG_RSI], registers[REG_RDX],
                         registers[REG_R10], registers[REG_R8],  registers[REG_R9]};
#else
    unsigned long long *registers = ((ucontext_t *)context)->uc_mcontext.regs;
    long arguments[6];
    for (int i = 0; i < 6; i++) arguments[i] = (long)registers[i];
#endif
    bool may_refuse = is_refusing && (refused_call == 0 || refused_call == number);
    long result = may_refuse && random_below(&refusal_source, 2) == 0 ? refuse(number, arguments)
                                                                      : own_call(number, arguments);
#if defined(__x86_64__)
    registers[REG_RAX] = result;
#else
    registers[0] = (unsigned long long)result;
#endif
}

static void trap_calls(void) {
    struct sigaction action = {.sa_sigaction = serve, .sa_flags = SA_SIGINFO | SA_NODEFER};
    CHECK(sigaction(SIGSYS, &action, NULL) == 0);
    uint64_t end = (uint64_t)(uintptr_t)own_call_end;
    enum { pointer = offsetof(struct seccomp_data, instruction_pointer) };
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, pointer),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)end, 0, 2),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, pointer + 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(end >> 32), 6, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 5, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_munmap, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mremap, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
    };
    struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0);
}

enum { slots = 400 };

/// The model: what the program owns. A block holds its mark in its first and last bytes and in each
/// page.
static struct block {
    char *address;
    size_t size;
    uint64_t mark;
} blocks[slots];
static size_t owned, usable;

static void mark(struct block *block, uint64_t value) {
    block->mark = value;
    // No two marks overlap.
    for (size_t at = 0; at + 16 <= block->size; at += 4096) memcpy(block->address + at, &value, 8);
    if (block->size >= 8) memcpy(block->address + block->size - 8, &value, 8);
}

/// Whether the first `size` bytes are as they were left.
static void expect_mark(const struct block *block, size_t size, const char *when) {
    for (size_t at = 0; at + 16 <= size; at += 4096)
        if (memcmp(block->address + at, &block->mark, 8) != 0)
            fail("%s: a block of %zu changed", when, block->size);
    if (size == block->size && size >= 8 && memcmp(block->address + size - 8, &block->mark, 8) != 0)
        fail("%s: the end of a block of %zu changed", when, block->size);
}

static void expect_zero(const char *bytes, size_t size) {
    for (size_t at = 0; at<size; at += size> 65536 ? 512 : 1)
        if (bytes[at] != 0) fail("calloc of %zu: byte %zu is not zero", size, at);
}

static size_t random_size(void) {
    uint64_t kind = random_below(&random_source, 10);
    uint64_t most = kind < 4 ? 2000 : kind < 7 ? 40000 : kind < 9 ? 600000 : 8 << 20;
    return 8 + random_below(&random_source, most);
}

enum kind { plain, zeroed, aligned, resized };

static char *ask(enum kind kind, size_t size, size_t alignment, char *old) {
    refused_now = 0;
    switch (kind) {
    case plain:
        return malloc(size);
    case zeroed:
        return calloc(1, size);
    case aligned:
        return aligned_alloc(alignment, size);
    case resized:
        return realloc(old, size);
    }
    return NULL;
}

/// Makes the call, a second time without refusals where it fails for one.
static char *expect_block(enum kind kind, size_t size, char *old) {
    size_t alignment = (size_t)16 << random_below(&random_source, 12);
    is_refusing = random_below(&random_source, 3) > 0;
    char *address = ask(kind, size, alignment, old);
    is_refusing = false;
    if (address == NULL && refused_now == 0)
        fail("no memory for %zu bytes, and nothing was refused", size);
    if (address == NULL) address = ask(kind, size, alignment, old);
    if (address == NULL) fail("no memory for %zu bytes after a refusal", size);
    if (kind == aligned) CHECK((uintptr_t)address % alignment == 0);
    return address;
}

static void take(struct block *block) {
    size_t size = random_size();
    if (owned + size > 100 << 20) return;
    enum kind kind = (enum kind)random_below(&random_source, 3);
    block->address = expect_block(kind, size, NULL);
    block->size = size;
    if (kind == zeroed) expect_zero(block->address, size);
    mark(block, random_next(&random_source));
    owned += size;
    usable += malloc_usable_size(block->address);
}

static void give(struct block *block) {
    expect_mark(block, block->size, "before free");
    owned -= block->size;
    usable -= malloc_usable_size(block->address);
    is_refusing = random_below(&random_source, 3) > 0;
    free(block->address);
    is_refusing = false;
    block->address = NULL;
}

static void resize(struct block *block) {
    size_t size =
        random_below(&random_source, 2) == 0 ? random_size() : block->size + block->size / 2;
    if (size > 24 << 20 || owned - block->size + size > 100 << 20) return;
    size_t same = size < block->size ? size : block->size;
    usable -= malloc_usable_size(block->address);
    block->address = expect_block(resized, size, block->address);
    usable += malloc_usable_size(block->address);
    expect_mark(block, same < block->size ? same : block->size, "after realloc");
    owned += size - block->size;
    block->size = size;
    mark(block, random_next(&random_source));
}

/// Bytes in use by the allocator's books.
static size_t booked(void) {
    struct mallinfo2 books = mallinfo2();
    return books.uordblks + books.hblkhd;
}

static void expect_books_to_agree(size_t base, const char *when) {
    size_t counted = booked() - base;
    if (counted != usable)
        fail("%s: %zu bytes are in use, the statistics say %zu", when, usable, counted);
}

int main(int count, char **texts) {
    if (count != 4) fail("refusals all|mmap|munmap|mprotect|madvise|mremap STEPS SEED");
    static const char *const names[5] = {"mmap", "munmap", "mprotect", "madvise", "mremap"};
    bool is_any = strcmp(texts[1], "all") == 0;
    for (int i = 0; i < 5; i++)
        if (strcmp(texts[1], names[i]) == 0) refused_call = calls[i];
    if (!is_any && refused_call == 0) fail("unknown system call: %s", texts[1]);
    uint64_t steps = number_argument(texts[2]);
    random_source.state = refusal_source.state = number_argument(texts[3]);
    watch("refusals", 120);
    trap_calls();
    size_t base = booked();
    for (uint64_t step = 0; step < steps; step++) {
        struct block *block = &blocks[random_below(&random_source, slots)];
        if (block->address == NULL)
            take(block);
        else if (random_below(&random_source, 3) == 0)
            resize(block);
        else
            give(block);
        if (step % 512 == 0) {
            is_refusing = true;
            trim_now();
            is_refusing = false;
            expect_books_to_agree(base, "on the way");
        }
    }
    for (int i = 0; i < slots; i++)
        if (blocks[i].address != NULL) give(&blocks[i]);
    trim_now();
    expect_books_to_agree(base, "at the end");
    // Were pages lost, the window of 256 MiB would have no room for this.
    char *rest = malloc(200 << 20);
    if (rest == NULL) fail("pages are lost: no room for 200 MiB in an empty heap");
    memset(rest, 1, 200 << 20);
    free(rest);
    for (int i = 0; i < 5; i++)
        if (refusals[i] == 0 && (refused_call == calls[i])) fail("no %s was refused", names[i]);
    printf("refusals: %lu mmap, %lu munmap, %lu mprotect, %lu madvise, %lu mremap\n", refusals[0],
           refusals[1], refusals[2], refusals[3], refusals[4]);
    return 0;
}
