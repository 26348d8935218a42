// Reads back what the sections of a file say about themselves to debuggers: every descriptor, its
// signature, its entry in the pointer array, its exits. Without an argument the program's own file
// is read, else that of the loaded library.
#define _GNU_SOURCE
#include <percolate/percpu_ops.h>

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

// One of each, so that the program has sections to read.
int use_everything(intptr_t *v, intptr_t *v2, void *dst, const void *src, int cpu) {
    return rseq_addv(v, 1, cpu) + rseq_cmpeqv_storev(v, 1, 2, cpu) + rseq_cmpnev_storeoffp_load(v, 1, 8, v2, cpu)
        + rseq_offset_deref_addv(v, 8, 1, cpu) + rseq_cmpeqv_trystorev_storev(v, 1, v2, 2, 3, cpu)
        + rseq_cmpeqv_trystorev_storev_release(v, 1, v2, 2, 3, cpu) + rseq_cmpeqv_cmpeqv_storev(v, 1, v2, 2, 3, cpu)
        + rseq_cmpeqv_trymemcpy_storev(v, 1, dst, src, 9, 3, cpu)
        + rseq_cmpeqv_trymemcpy_storev_release(v, 1, dst, src, 9, 3, cpu);
}

struct descriptor {
    uint32_t version, flags;
    uint64_t start, length, abort;
};

struct exit_point {
    uint64_t start, target;
};

static const char *wanted;
static char path[4096];
static uintptr_t base;

static int find(struct dl_phdr_info *info, size_t size, void *data) {
    (void)size, (void)data;
    if (!strstr(info->dlpi_name, wanted)) { return 0; }
    snprintf(path, sizeof path, "%s", info->dlpi_name[0] ? info->dlpi_name : "/proc/self/exe");
    base = info->dlpi_addr;
    return 1;
}

static void fail(const char *what, uint64_t where) {
    printf("%s at %#lx\n", what, (unsigned long)(where - base));
    exit(1);
}

int main(int argc, char **argv) {
    wanted = argc > 1 ? argv[1] : "";
    if (!dl_iterate_phdr(find, NULL)) { fail("no such file loaded", base); }
    int file = open(path, O_RDONLY);
    struct stat status;
    fstat(file, &status);
    const char *image = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    if (image == MAP_FAILED) { fail("cannot read the file", base); }
    const Elf64_Ehdr *header = (const void *)image;
    const Elf64_Shdr *sections = (const void *)(image + header->e_shoff);
    const char *names = image + sections[header->e_shstrndx].sh_offset;
    const Elf64_Shdr *descriptors = NULL, *pointers = NULL, *exits = NULL;
    for (int index = 0; index < header->e_shnum; index++) {
        const char *name = names + sections[index].sh_name;
        if (!strcmp(name, "__rseq_cs")) { descriptors = &sections[index]; }
        if (!strcmp(name, "__rseq_cs_ptr_array")) { pointers = &sections[index]; }
        if (!strcmp(name, "__rseq_exit_point_array")) { exits = &sections[index]; }
    }
    if (!descriptors || !pointers || !exits) { fail("an array is missing", base); }

    // In memory the arrays are relocated.
    const struct descriptor *descriptor = (const void *)(base + descriptors->sh_addr);
    size_t count = descriptors->sh_size / sizeof *descriptor;
    const struct descriptor *const *pointer = (const void *)(base + pointers->sh_addr);
    const struct exit_point *point = (const void *)(base + exits->sh_addr);
    size_t point_count = exits->sh_size / sizeof *point;
    if (descriptors->sh_size % sizeof *descriptor || count < 2 || pointers->sh_size != count * sizeof *pointer) {
        fail("the arrays do not match", base);
    }
    for (size_t index = 0; index < count; index++) {
        const struct descriptor *one = &descriptor[index];
        if ((uintptr_t)one % 32 || one->version || one->flags || !one->length || one->length > 4096) {
            fail("bad descriptor", (uint64_t)one);
        }
        uint32_t signature;
        memcpy(&signature, (const void *)(one->abort - 4), 4);
        if (signature != 0x53053053) { fail("no signature", one->abort); }
        if (memcmp((const void *)(one->abort - 7), "\x0f\xb9\x3d", 3)) { fail("the signature is no operand", one->abort); }
        if (one->abort - one->start < one->length) { fail("abort handler inside the section", one->abort); }
        size_t listed = 0, left = 0;
        for (size_t other = 0; other < count; other++) { listed += pointer[other] == one; }
        if (listed != 1) { fail("not once in the pointer array", (uint64_t)one); }
        for (size_t exit = 0; exit < point_count; exit++) {
            if (point[exit].start != one->start) { continue; }
            left++;
            if (point[exit].target - one->start < one->length) { fail("exit inside the section", point[exit].target); }
        }
        if (left == 0) { fail("section without an exit", one->start); }
    }
    for (size_t exit = 0; exit < point_count; exit++) {
        size_t owners = 0;
        for (size_t index = 0; index < count; index++) { owners += descriptor[index].start == point[exit].start; }
        if (owners != 1) { fail("exit of no section", point[exit].start); }
    }
    printf("ok: %zu sections, %zu exits\n", count, point_count);
    return 0;
}
