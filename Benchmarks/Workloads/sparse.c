// Large zeroed blocks of which little is touched, as hash tables and buffers are: a byte in each, then in the next round
// blocks of the same size, which must read as zero again.
#include "workload.h"

int main(int argc, char **argv) {
    workload_begin(argc, argv);
    uint64_t kilobytes = workload_argument("kilobytes", 1024);
    uint64_t count = workload_argument("count", 500);
    uint64_t rounds = workload_amount("rounds", 20);
    workload_arguments_end();
    unsigned char **blocks = table(count, sizeof(unsigned char *));
    for (uint64_t round = 0; round < rounds; round++) {
        for (uint64_t i = 0; i < count; i++) {
            blocks[i] = calloc(kilobytes, 1024);
            if (blocks[i] == NULL) workload_fail("calloc returned NULL");
            uint64_t at = (i * 4099 + round * 61) % (kilobytes * 1024);
            if (blocks[i][at] != 0) workload_fail("calloc's block is not zero");
            blocks[i][at] = 1;
        }
        for (uint64_t i = 0; i < count; i++) free(blocks[i]);
    }
}
