// Pops nodes by vectors while another thread unmaps and maps their memory again: the process must
// not fault, and every pop either happens or says EAGAIN.
#define _GNU_SOURCE
#include <percolate/cpu_op.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

static intptr_t *page;
static atomic_bool stop;
static atomic_long mapped;

static void *map_and_unmap(void *unused) {
    (void)unused;
    for (; !stop; mapped++) {
        munmap(page, 4096);
        if (mmap(page, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != page) { abort(); }
    }
    return NULL;
}

int main(int argc, char **argv) {
    long rounds = argc > 1 ? atol(argv[1]) : 100000, popped = 0, again = 0, differs = 0;
    page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_t thread;
    pthread_create(&thread, NULL, map_and_unmap, NULL);
    static char large[4000];
    for (long round = 0; round < rounds; round++) {
        intptr_t head = (intptr_t)page, node = 0;
        int result = cpu_op_cmpnev_storeoffp_load(&head, 0, 16, &node, 0);
        if (result == 0 && head == 0 && node == (intptr_t)page) {
            popped++;
        } else if (result == -1 && errno == EAGAIN && head == (intptr_t)page) {
            again++;
        } else {
            printf("result %d, errno %d, head %lx\n", result, errno, (long)head);
            return 1;
        }
        // A long source, and both sides of a compare.
        struct cpu_op vector[] = {
            percolate_op_copy(CPU_MEMCPY_OP, large, page, 2000),
            percolate_op_compare(CPU_COMPARE_EQ_OP, page, large, 2000),
        };
        vector[0].u.memcpy_op.expect_fault_src = 1;
        vector[1].u.compare_op.expect_fault_a = 1;
        result = percolate_cpu_opv(vector, 2, 0, 0);
        if (result == -1 ? errno != EAGAIN : result != 0) {
            printf("long vector: result %d, errno %d\n", result, errno);
            return 1;
        }
        differs += result == -1;
    }
    stop = 1;
    pthread_join(thread, NULL);
    printf("%ld popped, %ld again, %ld long ones again, mapped %ld times\n", popped, again, differs, (long)mapped);
    puts(popped > 0 && again > 0 ? "ok" : "WRONG: one of the two never happened");
    return popped > 0 && again > 0 ? 0 : 1;
}
