// The AArch64 sequences, run from first step to last by an emulator of user programs: built without
// a C library, it brings what the sequences look at (a thread's rseq area, the gates) and makes
// each of them commit, and leave by each of its exits.
//
// An emulator never aborts a sequence and shows no reordering: this is about the instructions only.
// What it prints is why it failed; it ends with 0 when all did as their pseudocode says. Compiled
// with BY_MM_CID: the sequences by concurrency id.
#include <percolate/rseq_ops.h>

#ifdef BY_MM_CID
#include "by_mm_cid.h"
#define GATES percolate_mm_cid_gates
#define CURRENT_INDEX percolate_section_mm_cid
#else
#define GATES percolate_gates
#define CURRENT_INDEX percolate_section_cpu
#endif

struct area {
    uint32_t cpu_id_start;
    int32_t cpu_id;
    uint64_t rseq_cs;
    uint32_t flags, node_id;
    int32_t mm_cid;
    uint32_t reserved;
} __attribute__((aligned(32)));

// Not static: only assembly and the thread pointer refer to it.
struct area area;
// From the thread pointer, which the start sets to the area.
const ptrdiff_t __rseq_offset = 0;
struct percolate_gate GATES[PERCOLATE_GATES_MAX + 2];

static long system_call(long number, long a, long b, long c) {
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
}

static int failures;

static void fail(const char *what) {
    long length = 0;
    while (what[length]) { length++; }
    system_call(64 /* write */, 1, (long)what, length);
    system_call(64, 1, (long)"\n", 1);
    failures++;
}

#define TEXT_OF(line) #line
#define PLACE(line) "line " TEXT_OF(line) ": "
#define EXPECT(condition)                                                                                              \
    do {                                                                                                               \
        if (!(condition)) { fail(PLACE(__LINE__) #condition); }                                                        \
    } while (0)

// The descriptor that was armed last says what the kernel would need.
struct descriptor {
    uint32_t version, flags;
    uint64_t start, length, abort;
};

static void expect_descriptor(void) {
    const struct descriptor *armed = (const struct descriptor *)area.rseq_cs;
    if (armed == 0 || (uintptr_t)armed % 32 != 0) {
        fail("no descriptor is armed");
        return;
    }
    EXPECT(armed->version == 0 && armed->flags == 0);
    EXPECT(armed->length > 0 && armed->length < 4096 && armed->abort - armed->start >= armed->length);
    EXPECT(*(const uint32_t *)(armed->abort - 4) == 0xd428bc00);
    area.rseq_cs = 0;
}

static void check_words(int cpu) {
    intptr_t v = 5, v2 = 6, load = 7;
    EXPECT(rseq_cmpeqv_storev(&v, 4, 9, cpu) == 1 && v == 5);
    expect_descriptor();
    EXPECT(rseq_cmpeqv_storev(&v, 5, -9, cpu) == 0 && v == -9);
    expect_descriptor();
    EXPECT(rseq_addv(&v, 10, cpu) == 0 && v == 1);
    expect_descriptor();
    EXPECT(rseq_addv(&v, -0x123456789abcdef, cpu) == 0 && v == 1 - 0x123456789abcdef);
    v = 1;
    EXPECT(rseq_cmpeqv_trystorev_storev(&v, 2, &v2, 3, 4, cpu) == 1 && v == 1 && v2 == 6);
    EXPECT(rseq_cmpeqv_trystorev_storev(&v, 1, &v2, 3, 4, cpu) == 0 && v == 4 && v2 == 3);
    expect_descriptor();
    EXPECT(rseq_cmpeqv_trystorev_storev_release(&v, 1, &v2, 5, 6, cpu) == 1 && v == 4 && v2 == 3);
    EXPECT(rseq_cmpeqv_trystorev_storev_release(&v, 4, &v2, 5, 6, cpu) == 0 && v == 6 && v2 == 5);
    expect_descriptor();
    EXPECT(rseq_cmpeqv_cmpeqv_storev(&v, 5, &v2, 5, 7, cpu) == 1 && v == 6);
    EXPECT(rseq_cmpeqv_cmpeqv_storev(&v, 6, &v2, 4, 7, cpu) == 1 && v == 6);
    EXPECT(rseq_cmpeqv_cmpeqv_storev(&v, 6, &v2, 5, 7, cpu) == 0 && v == 7 && v2 == 5);
    expect_descriptor();

    struct { intptr_t before, next; } node = {0, 77};
    v = (intptr_t)&node;
    EXPECT(rseq_cmpnev_storeoffp_load(&v, (intptr_t)&node, 8, &load, cpu) == 1 && load == 7 && v == (intptr_t)&node);
    EXPECT(rseq_cmpnev_storeoffp_load(&v, 0, 8, &load, cpu) == 0 && load == (intptr_t)&node && v == 77);
    expect_descriptor();

    intptr_t slot = 5, *pointer = &slot;
    struct { intptr_t before; intptr_t *target; } box = {0, pointer}, *boxed = &box;
    EXPECT(rseq_offset_deref_addv((intptr_t *)&boxed, 8, 37, cpu) == 0 && slot == 42);
    expect_descriptor();
}

static void check_copies(int cpu) {
    static unsigned char from[100], to[100];
    for (int index = 0; index < 100; index++) { from[index] = (unsigned char)(index + 1); }
    for (int release = 0; release < 2; release++) {
        for (size_t len = 0; len < 40; len++) {
            for (int index = 0; index < 100; index++) { to[index] = 0xee; }
            intptr_t v = 1;
            int result = release ? rseq_cmpeqv_trymemcpy_storev_release(&v, 2, to, from, len, 3, cpu)
                                 : rseq_cmpeqv_trymemcpy_storev(&v, 2, to, from, len, 3, cpu);
            EXPECT(result == 1 && v == 1 && to[0] == 0xee);
            result = release ? rseq_cmpeqv_trymemcpy_storev_release(&v, 1, to, from, len, 3, cpu)
                             : rseq_cmpeqv_trymemcpy_storev(&v, 1, to, from, len, 3, cpu);
            EXPECT(result == 0 && v == 3);
            expect_descriptor();
            for (size_t index = 0; index < 100; index++) { EXPECT(to[index] == (index < len ? from[index] : 0xee)); }
        }
    }
}

// Every sequence leaves -1, without an effect.
static void expect_none(int cpu) {
    intptr_t v = 1, v2 = 1, load = 1, *pointer = &v;
    char from[9] = {1}, to[9] = {0};
    EXPECT(rseq_cmpeqv_storev(&v, 1, 2, cpu) == -1);
    EXPECT(rseq_cmpnev_storeoffp_load(&v, 0, 8, &load, cpu) == -1);
    EXPECT(rseq_addv(&v, 1, cpu) == -1);
    EXPECT(rseq_offset_deref_addv((intptr_t *)&pointer, 0, 1, cpu) == -1);
    EXPECT(rseq_cmpeqv_trystorev_storev(&v, 1, &v2, 2, 2, cpu) == -1);
    EXPECT(rseq_cmpeqv_trystorev_storev_release(&v, 1, &v2, 2, 2, cpu) == -1);
    EXPECT(rseq_cmpeqv_cmpeqv_storev(&v, 1, &v2, 1, 2, cpu) == -1);
    EXPECT(rseq_cmpeqv_trymemcpy_storev(&v, 1, to, from, 9, 2, cpu) == -1);
    EXPECT(rseq_cmpeqv_trymemcpy_storev_release(&v, 1, to, from, 9, 2, cpu) == -1);
    EXPECT(v == 1 && v2 == 1 && load == 1 && to[0] == 0);
}

static void check(void) {
    for (int cpu = 0; cpu < 3; cpu++) {
#ifdef BY_MM_CID
        area.cpu_id = 7;
        area.mm_cid = cpu;
#else
        area.cpu_id = cpu;
#endif
        EXPECT(CURRENT_INDEX() == cpu);
        expect_none(cpu);
        GATES[cpu + 2].state = PERCOLATE_GATE_OPEN;
        check_words(cpu);
        check_copies(cpu);
        expect_none(cpu + 1);
        expect_none(cpu - 1);
        expect_none(1 << 30);
    }
    // The kernel's word for a thread that is not registered. Its id reads 0 then, of which the gate
    // is open.
    area.cpu_id = -1;
    area.mm_cid = 0;
    expect_none(-1);
    expect_none(0);
    system_call(94 /* exit_group */, failures != 0, 0, 0);
}

__attribute__((naked, noreturn)) void _start(void) {
    __asm__("adrp x0, area\n"
            "add x0, x0, :lo12:area\n"
            "msr tpidr_el0, x0\n"
            "bl %c0\n"
            "brk #0\n"
            :
            : "i"(check));
}

// The compiler may call it.
void *memset(void *start, int byte, size_t count) {
    for (volatile unsigned char *next = start; count > 0; count--) { *next++ = (unsigned char)byte; }
    return start;
}
void *memcpy(void *target, const void *source, size_t count) {
    volatile unsigned char *to = target;
    for (const unsigned char *from = source; count > 0; count--) { *to++ = *from++; }
    return target;
}
