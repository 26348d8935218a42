// Buffers that grow by halves through realloc, to tens of megabytes, and shrink again: logs, documents, message queues.
#include "workload.h"

enum { buffers = 8 };

int main(int argc, char **argv) {
    workload_begin(argc, argv);
    uint64_t operations = workload_amount("operations", 1500);
    uint64_t least = workload_argument("least", 65536);
    uint64_t most = workload_argument("most", 33554432);
    workload_arguments_end();
    struct random_source source = random_seeded(13);
    char *blocks[buffers] = {NULL};
    uint64_t sizes[buffers] = {0};
    for (uint64_t done = 0; done < operations; done++) {
        uint64_t at = random_below(&source, buffers);
        uint64_t size = sizes[at] * 3 / 2 + least;
        if (size > most) size = random_between(&source, least, most / 4);
        blocks[at] = realloc(blocks[at], size);
        if (blocks[at] == NULL) workload_fail("realloc returned NULL");
        for (uint64_t offset = sizes[at]; offset < size; offset += 4096) blocks[at][offset] = (char)at;
        sizes[at] = size;
    }
    for (int i = 0; i < buffers; i++) free(blocks[i]);
}
