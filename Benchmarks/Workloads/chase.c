// Dependent loads at random: through a ring of small nodes that were allocated one by one, or, with `nodes=0`, in one large
// array. Whether the processor's page tables reach is what it measures, and so whether memory lies in huge pages.
#include "workload.h"

struct node {
    struct node *next;
    uint64_t value[5];
};

static void permute(uint64_t *places, uint64_t count, struct random_source *source) {
    for (uint64_t i = 0; i < count; i++) places[i] = i;
    for (uint64_t i = count - 1; i > 0; i--) {
        uint64_t other = random_below(source, i + 1);
        uint64_t place = places[i];
        places[i] = places[other];
        places[other] = place;
    }
}

static uint64_t chase_nodes(uint64_t count, uint64_t hops, struct random_source *source) {
    struct node **nodes = table(count, sizeof(struct node *));
    uint64_t *places = table(count, sizeof(uint64_t));
    for (uint64_t i = 0; i < count; i++) {
        nodes[i] = malloc(sizeof(struct node));
        if (nodes[i] == NULL) workload_fail("malloc returned NULL");
        nodes[i]->value[0] = i;
    }
    permute(places, count, source);
    for (uint64_t i = 0; i < count; i++) nodes[places[i]]->next = nodes[places[(i + 1) % count]];
    mark("built");
    double from = workload_now();
    struct node *node = nodes[0];
    uint64_t sum = 0;
    while (hops-- > 0) {
        sum += node->value[0];
        node = node->next;
    }
    report_active(workload_now() - from);
    return sum;
}

static uint64_t chase_array(uint64_t megabytes, uint64_t hops, struct random_source *source) {
    uint64_t count = (megabytes << 20) / sizeof(uint64_t);
    uint64_t *array = malloc(count * sizeof(uint64_t));
    if (array == NULL) workload_fail("malloc returned NULL");
    for (uint64_t i = 0; i < count; i++) array[i] = random_next(source);
    mark("built");
    double from = workload_now();
    uint64_t sum = 0;
    while (hops-- > 0) sum += array[(sum ^ array[sum % count]) % count];
    report_active(workload_now() - from);
    return sum;
}

int main(int argc, char **argv) {
    workload_begin(argc, argv);
    uint64_t nodes = workload_argument("nodes", 4000000);
    uint64_t megabytes = workload_argument("megabytes", 400);
    uint64_t hops = workload_amount("hops", 10000000);
    workload_arguments_end();
    struct random_source source = random_seeded(11);
    uint64_t sum = nodes > 0 ? chase_nodes(nodes, hops, &source) : chase_array(megabytes, hops, &source);
    dprintf(1, "sum %llu\n", (unsigned long long)sum);
}
