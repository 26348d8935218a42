// Growth by realloc: `buffers` buffers grow by half, in turn, until each is `kilobytes` long; then all start again.
#include "workload.h"

int main(int argc, char **argv) {
    workload_begin(argc, argv);
    uint64_t buffers = workload_argument("buffers", 64);
    uint64_t kilobytes = workload_argument("kilobytes", 1024);
    uint64_t rounds = workload_amount("rounds", 30);
    workload_arguments_end();
    char **blocks = table(buffers, sizeof *blocks);
    for (uint64_t round = 0; round < rounds; round++) {
        for (uint64_t i = 0; i < buffers; i++) blocks[i] = NULL;
        uint64_t old = 0;
        for (uint64_t size = 24; size <= kilobytes * 1024; size += size / 2) {
            for (uint64_t i = 0; i < buffers; i++) {
                char *grown = realloc(blocks[i], size);
                if (grown == NULL) workload_fail("realloc returned NULL");
                if (old > 0 && grown[old - 1] != (char)i) workload_fail("realloc lost the contents");
                for (uint64_t offset = old; offset < size; offset += 4096) grown[offset] = (char)i;
                grown[size - 1] = (char)i;
                blocks[i] = grown;
            }
            old = size;
        }
        for (uint64_t i = 0; i < buffers; i++) free(blocks[i]);
    }
}
