// A structure of one's own: two numbers for each CPU that change together, by a vector from any
// CPU.
//
//     cc vector.c $(pkg-config --cflags --libs percolate) -pthread -o vector
#include <inttypes.h>
#include <percolate/percpu.h>
#include <stdio.h>

struct account {
    intptr_t balance;
    intptr_t changes;
};

// `if (balance == expected) { balance += amount; changes += 1; }` on that CPU, as one step. 1 when
// the compare failed.
static int change(struct account *account, intptr_t expected, intptr_t amount, int cpu) {
    struct cpu_op operations[] = {
        percolate_op_compare(CPU_COMPARE_EQ_OP, &account->balance, &expected, sizeof expected),
        percolate_op_sum(CPU_ADD_OP, &account->balance, amount, sizeof expected),
        percolate_op_sum(CPU_ADD_OP, &account->changes, 1, sizeof expected),
    };
    return percolate_cpu_opv(operations, 3, cpu, 0);
}

int main(void) {
    if (!cpu_op_available() || cpu_opv(NULL, 0, 0, CPU_OP_VEC_LEN_MAX_FLAG) < 3) {
        return 1;
    }
    struct percpu_pool *pool = PERCPU_POOL_OF(struct account, PERCPU_CPU_ID);
    if (pool == NULL) {
        return 1;
    }
    struct account *accounts = PERCPU_ALLOCATE(pool, struct account);
    if (accounts == NULL) {
        return 1;
    }
    int wrong = 0;
    PERCPU_FOR_EACH(cpu, pool) {
        struct account *account = PERCPU_PART(pool, accounts, cpu);
        wrong += change(account, 0, 100 + cpu, cpu) != 0;
        wrong += change(account, 0, 1, cpu) != 1;
        // The same field by a sequence where the thread runs on that CPU, else by a vector.
        wrong += percpu_addv(&account->balance, -cpu, cpu) != 0;
        printf("CPU %d: %" PRIdPTR " after %" PRIdPTR " changes\n", cpu, account->balance,
               account->changes);
        wrong += account->balance != 100 || account->changes != 1;
    }
    percpu_pool_destroy(pool);
    return wrong == 0 ? 0 : 1;
}
