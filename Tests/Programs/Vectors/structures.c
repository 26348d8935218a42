// Five structures on per-CPU data, hammered by threads, and counted at the end.
//
//     structures STRUCTURE WAY OPERATIONS THREADS [KEY=VALUE...]
//
// STRUCTURE is lock, counter, list, pointers or bytes. WAY is section (a sequence that did not
// commit is tried again), vector (operation vectors alone, half of them for a CPU drawn by lot) or
// mixed (sequence, then vector; and a tenth of the operations by vector for a CPU drawn by lot).
// OPERATIONS counts over all threads. Keys:
//
//     affinity=1   threads change their affinity all the time
//     closes=N     N threads add to the counters of CPUs drawn by lot, by vectors that take long between load and store
//     signals=1    a timer interrupts the process; the handler adds to a per-CPU counter, and allocates
//     delay=STEP   before that step of each sequence, wait
//     turns=N      this many turns of an empty loop
//     hold=N       that many turns between the load and the store of what the lock protects
//     fence=ERRNO  membarrier answers so and does nothing; 0 looks like success
//
// Prints what it found. Ends with 0 when every operation took effect exactly once, else with 1.
#define _GNU_SOURCE
#include "delays.h"
#include "structures.h"
#include "without_calls.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static int thread_count;
static long operations;
static bool change_affinity;
static atomic_bool stop;
static atomic_long handled, added_slowly;

static void move_affinity(void) {
    cpu_set_t set;
    CPU_ZERO(&set);
    int only = by_lot();
    for (int cpu = 0; cpu < cpu_count; cpu++) {
        if (random_number() % 2 || cpu == only) { CPU_SET(cpu, &set); }
    }
    sched_setaffinity(0, sizeof set, &set);
}

static const char *structure;

static void *work(void *argument) {
    random_state = (uintptr_t)argument * 77777 + 1;
    long share = operations / thread_count;
    for (long done = 0; done < share; done++) {
        if (change_affinity && done % 256 == 0) { move_affinity(); }
        switch (structure[0]) {
        case 'c': add(done % 2 ? counter : slow_counter); break;
        case 'b': {
            struct item item;
            if (pop_bytes(&item)) { push_bytes(&item); }
            break;
        }
        case 'p': {
            intptr_t pointer = pop_pointer();
            if (pointer) { push_pointer(pointer); }
            break;
        }
        default:
            if (structure[1] == 'o') {
                count_under_lock();
            } else {
                struct node *node = pop_node();
                if (node) { push_node(node); }
            }
        }
    }
    return NULL;
}

// Adds one, with a long way from the load to the store: a copy that expects a fault is made by a
// system call.
static void add_slowly(intptr_t *counter, int cpu) {
    static _Thread_local char from[4000], to[4000];
    intptr_t sum;
    struct cpu_op vector[] = {
        percolate_op_copy(CPU_MEMCPY_OP, &sum, counter, sizeof sum),
        percolate_op_copy(CPU_MEMCPY_OP, to, from, sizeof to),
        percolate_op_sum(CPU_ADD_OP, &sum, 1, sizeof sum),
        percolate_op_copy(CPU_MEMCPY_OP, counter, &sum, sizeof sum),
    };
    vector[1].u.memcpy_op.expect_fault_src = 1;
    if (percolate_cpu_opv(vector, 4, cpu, 0) != 0) { abort(); }
}

static void *close_gates(void *argument) {
    random_state = (uintptr_t)argument * 99991 + 3;
    for (; !stop; added_slowly++) {
        int cpu = by_lot();
        add_slowly(&data[cpu].slow_counter, cpu);
    }
    return NULL;
}

static void handle(int signal) {
    (void)signal;
    int saved = errno;
    int cpu = percpu_current_cpu();
    if (percpu_addv(&data[cpu].handler_counter, 1, cpu) != 0) { abort(); }
    if (cpu_op_addv(&data[cpu_count - 1].handler_counter, 1, cpu_count - 1) != 0) { abort(); }
    free(malloc(100));
    handled += 2;
    errno = saved;
}

static int failures;

static void expect(const char *what, long found, long expected) {
    if (found == expected) { return; }
    printf("%s: %ld, expected %ld\n", what, found, expected);
    failures++;
}

static void fill(void) {
    for (int cpu = 0; cpu < cpu_count; cpu++) {
        for (int index = 0; index < ITEMS; index++) {
            intptr_t number = cpu * ITEMS + index + 1;
            nodes[number - 1].number = number;
            nodes[number - 1].next = (struct node *)data[cpu].list;
            data[cpu].list = (intptr_t)&nodes[number - 1];
            data[cpu].pointers[data[cpu].pointers_used++] = number;
            struct item item = {number, {number, number, number, number, number}};
            data[cpu].bytes[data[cpu].bytes_used++] = item;
        }
    }
}

// Every item is somewhere, once, and whole.
static void count(void) {
    static unsigned char in_list[CPUS * ITEMS + 1], in_pointers[CPUS * ITEMS + 1], in_bytes[CPUS * ITEMS + 1];
    long locked = 0, counted = 0, slowly = 0, in_handlers = 0;
    for (int cpu = 0; cpu < cpu_count; cpu++) {
        locked += data[cpu].locked_count;
        counted += data[cpu].counter;
        slowly += data[cpu].slow_counter;
        in_handlers += data[cpu].handler_counter;
        long length = 0;
        for (struct node *node = (struct node *)data[cpu].list; node && length <= CPUS * ITEMS; node = node->next) {
            in_list[node->number]++;
            length++;
        }
        for (long index = 0; index < data[cpu].pointers_used; index++) { in_pointers[data[cpu].pointers[index]]++; }
        for (long index = 0; index < data[cpu].bytes_used; index++) {
            struct item *item = &data[cpu].bytes[index];
            for (int copy = 0; copy < 5; copy++) { expect("torn item", item->copies[copy], item->number); }
            in_bytes[item->number]++;
        }
    }
    long share = operations / thread_count * thread_count;
    if (structure[0] == 'c') { expect("counters", counted + slowly, share + added_slowly); }
    if (structure[1] == 'o' && structure[0] == 'l') { expect("counts under the lock", locked, share); }
    expect("counts in signal handlers", in_handlers, handled);
    long lost = 0, doubled = 0;
    for (int number = 1; number <= cpu_count * ITEMS; number++) {
        lost += !in_list[number] + !in_pointers[number] + !in_bytes[number];
        doubled += (in_list[number] > 1) + (in_pointers[number] > 1) + (in_bytes[number] > 1);
    }
    expect("items lost", lost, 0);
    expect("items doubled", doubled, 0);
}

static long value(const char *argument, const char *key, long otherwise) {
    size_t length = strlen(key);
    return strncmp(argument, key, length) == 0 && argument[length] == '=' ? atol(argument + length + 1) : otherwise;
}

int main(int argc, char **argv) {
    if (argc < 5) { return 2; }
    structure = argv[1];
    way = argv[2][0] == 's' ? SECTION : argv[2][0] == 'v' ? VECTOR : MIXED;
    operations = atol(argv[3]);
    thread_count = atoi(argv[4]);
    // Not those that are online now: others may come, and their counters count too.
    cpu_count = (int)sysconf(_SC_NPROCESSORS_CONF);
    if (cpu_count > CPUS) {
        cpu_set_t first;
        CPU_ZERO(&first);
        for (int cpu = 0; cpu < CPUS; cpu++) { CPU_SET(cpu, &first); }
        if (sched_setaffinity(0, sizeof first, &first) != 0) {
            perror("structures: the first CPUs");
            return 2;
        }
        cpu_count = CPUS;
    }
    long closers = 0, signals = 0, delay = 0, turns = 0, fence = -1;
    for (int index = 5; index < argc; index++) {
        change_affinity = value(argv[index], "affinity", change_affinity);
        closers = value(argv[index], "closes", closers);
        signals = value(argv[index], "signals", signals);
        delay = value(argv[index], "delay", delay);
        turns = value(argv[index], "turns", turns);
        hold_turns = value(argv[index], "hold", hold_turns);
        fence = value(argv[index], "fence", fence);
    }
    // The first vector opens the gates: sequences alone would be tried for ever.
    if (cpu_op_addv(&data[0].counter, 0, 0) != 0) { abort(); }
    if (fence >= 0) { answer_fences_with((int)fence); }
    section_delay[delay] = (uint32_t)turns;
    fill();
    pthread_t threads[64], closing[64];
    for (long index = 0; index < closers; index++) {
        pthread_create(&closing[index], NULL, close_gates, (void *)(index + 1));
    }
    if (signals) {
        struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
        sigaction(SIGALRM, &action, NULL);
        struct itimerval timer = {{0, 500}, {0, 500}};
        setitimer(ITIMER_REAL, &timer, NULL);
    }
    for (long index = 0; index < thread_count; index++) {
        pthread_create(&threads[index], NULL, work, (void *)(index + 1));
    }
    for (int index = 0; index < thread_count; index++) { pthread_join(threads[index], NULL); }
    stop = true;
    for (long index = 0; index < closers; index++) { pthread_join(closing[index], NULL); }
    if (signals) {
        struct itimerval none = {{0, 0}, {0, 0}};
        setitimer(ITIMER_REAL, &none, NULL);
        usleep(1000);
    }
    count();
    printf("%s %s %ld operations, %ld handled: %s\n", argv[1], argv[2], operations, (long)handled, failures ? "WRONG" : "ok");
    return failures ? 1 : 0;
}
