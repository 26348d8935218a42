// tree_peak -o FILE PROGRAM [ARG ...]
//
// Runs PROGRAM and everything that it starts, and writes for each address space that ended its peak
// resident size (VmHWM): one line `KiB process-id name`. Ends as PROGRAM ended: the same exit code,
// or the same signal. Processes that outlive PROGRAM are waited for.
//
// A child of vfork counts only once it has its own address space.
#define _GNU_SOURCE
#include "../traced.h"

// What is known of one process, in a list. `peak` is -1 until one of its threads ends.
struct process {
    pid_t id;
    int ended;     // its number may be another process's by now
    int borrowed;  // a vfork child that still runs in its parent's memory
    long peak;
    char name[32];
    struct process *next;
};
static struct process *processes;

static struct process *known(pid_t id) {
    for (struct process *p = processes; p != NULL; p = p->next)
        if (p->id == id && !p->ended) return p;
    return NULL;
}

static struct process *find(pid_t id) {
    struct process *p = known(id);
    if (p != NULL) return p;
    p = calloc(1, sizeof *p);
    if (p == NULL) fail("memory");
    p->id = id;
    p->peak = -1;
    p->next = processes;
    processes = p;
    return p;
}

struct status {
    pid_t process;
    long peak;
    char name[32];
};

// Reads /proc/<task>/status; 0 when the task is gone or has no memory (any more).
static int read_status(pid_t task, struct status *s) {
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", (int)task);
    FILE *file = fopen(path, "re");
    if (file == NULL) return 0;
    *s = (struct status){.process = -1, .peak = -1};
    while (fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "Tgid: %d", &s->process) == 1) continue;
        if (sscanf(line, "VmHWM: %ld", &s->peak) == 1) continue;
        sscanf(line, "Name: %31[^\n]", s->name);
    }
    fclose(file);
    return s->process > 0 && s->peak >= 0;
}

static void note_exit(pid_t task) {
    struct status s;
    if (!read_status(task, &s)) return;
    struct process *p = find(s.process);
    // Only the leader's name is the program's: threads may have names of their own.
    if (task == s.process || p->name[0] == 0) memcpy(p->name, s.name, sizeof p->name);
    if (!p->borrowed && s.peak > p->peak) p->peak = s.peak;
}

// The child of a vfork, which is stopped and has not run yet.
static void note_vfork(pid_t parent) {
    unsigned long task;
    if (ptrace(PTRACE_GETEVENTMSG, parent, NULL, &task) == 0) find((pid_t)task)->borrowed = 1;
}

// After an exec the old address space is gone and the new one begins at nothing.
static void note_exec(pid_t task) {
    struct process *p = find(task);
    p->borrowed = 0;
    p->peak = -1;
    p->name[0] = 0;
}

int main(int argc, char **argv) {
    tool = "tree_peak";
    if (argc < 4 || strcmp(argv[1], "-o") != 0) {
        fprintf(stderr, "usage: tree_peak -o FILE PROGRAM [ARG ...]\n");
        return 125;
    }
    FILE *out = fopen(argv[2], "we");
    if (out == NULL) fail(argv[2]);
    pid_t child = start_traced(argv + 3, PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK);
    int end = 0, status;
    for (;;) {
        pid_t task = waitpid(-1, &status, __WALL);
        if (task < 0 && errno == EINTR) continue;
        if (task < 0 && errno == ECHILD) break;
        if (task < 0) fail("wait");
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            // A leader is reported after all its threads.
            struct process *p = known(task);
            if (p != NULL) p->ended = 1;
            if (task == child) end = status;
            continue;
        }
        int event = status >> 16, deliver = 0;
        switch (event) {
            case PTRACE_EVENT_EXIT: note_exit(task); break;
            case PTRACE_EVENT_EXEC: note_exec(task); break;
            case PTRACE_EVENT_VFORK: note_vfork(task); break;
            case PTRACE_EVENT_STOP:
                if (WSTOPSIG(status) != SIGTRAP) {
                    ptrace(PTRACE_LISTEN, task, NULL, NULL);
                    continue;
                }
                break;
            case 0: deliver = WSTOPSIG(status); break;
        }
        ptrace(PTRACE_CONT, task, NULL, (void *)(long)deliver);
    }
    for (struct process *p = processes; p != NULL; p = p->next)
        if (p->peak >= 0) fprintf(out, "%ld %d %s\n", p->peak, (int)p->id, p->name);
    if (fclose(out) != 0) fail(argv[2]);
    return end_as(end);
}
