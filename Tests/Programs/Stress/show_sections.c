/// Shows the restartable sequences of a loaded library, as a debugger finds them: by the section
/// headers of its file, in the memory that the loader relocated.
///
///   show_sections LIBRARY
///
/// prints, all addresses relative to where the library is loaded:
///
///   descriptor ADDRESS VERSION FLAGS START LENGTH ABORT SIGNATURE
///   listed ADDRESS              an element of __rseq_cs_ptr_array
///   exit START TARGET           an element of __rseq_exit_point_array
///   code START END              an executable section of the file
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <linux/rseq.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void fail(const char *what) {
    fprintf(stderr, "show_sections: %s\n", what);
    exit(1);
}

static const char *file_bytes(const char *path) {
    int descriptor = open(path, O_RDONLY);
    struct stat status;
    if (descriptor < 0 || fstat(descriptor, &status) != 0) fail("cannot open the library's file");
    const char *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (bytes == MAP_FAILED) fail("cannot map the library's file");
    return bytes;
}

static void show_descriptors(uintptr_t base, const Elf64_Shdr *section) {
    if (section->sh_size % sizeof(struct rseq_cs) != 0) fail("__rseq_cs is no array of descriptors");
    const struct rseq_cs *descriptors = (const void *)(base + section->sh_addr);
    for (size_t i = 0; i < section->sh_size / sizeof *descriptors; i++) {
        const struct rseq_cs *each = &descriptors[i];
        uint32_t signature;
        memcpy(&signature, (const void *)(uintptr_t)(each->abort_ip - 4), sizeof signature);
        printf("descriptor %lu %u %u %lu %lu %lu %u\n", (unsigned long)((uintptr_t)each - base), each->version, each->flags,
               (unsigned long)(each->start_ip - base), (unsigned long)each->post_commit_offset,
               (unsigned long)(each->abort_ip - base), signature);
    }
}

static void show_words(uintptr_t base, const Elf64_Shdr *section, const char *name, size_t each) {
    const uint64_t *words = (const void *)(base + section->sh_addr);
    for (size_t i = 0; i < section->sh_size / 8; i += each) {
        printf("%s", name);
        for (size_t j = 0; j < each; j++) printf(" %lu", (unsigned long)(words[i + j] - base));
        printf("\n");
    }
}

int main(int count, char **arguments) {
    if (count != 2) fail("one argument: the library");
    void *handle = dlopen(arguments[1], RTLD_NOW);
    struct link_map *map;
    if (!handle || dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0) fail(dlerror());
    uintptr_t base = map->l_addr;
    const char *bytes = file_bytes(arguments[1]);
    const Elf64_Ehdr *header = (const void *)bytes;
    const Elf64_Shdr *sections = (const void *)(bytes + header->e_shoff);
    const char *names = bytes + sections[header->e_shstrndx].sh_offset;
    for (int i = 0; i < header->e_shnum; i++) {
        const Elf64_Shdr *section = &sections[i];
        const char *name = names + section->sh_name;
        if (section->sh_flags & SHF_EXECINSTR)
            printf("code %lu %lu\n", section->sh_addr, section->sh_addr + section->sh_size);
        if (strcmp(name, "__rseq_cs") == 0) show_descriptors(base, section);
        if (strcmp(name, "__rseq_cs_ptr_array") == 0) show_words(base, section, "listed", 1);
        if (strcmp(name, "__rseq_exit_point_array") == 0) show_words(base, section, "exit", 2);
    }
    return 0;
}
