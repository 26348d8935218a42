#define _GNU_SOURCE
#include "process.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

void step_result_free(struct step_result *result) {
    free(result->counts);
    result->counts = NULL;
    result->count = 0;
}

#if defined(__x86_64__)

#ifndef PTRACE_GET_RSEQ_CONFIGURATION
#define PTRACE_GET_RSEQ_CONFIGURATION 0x420f
#endif

/// The kernel's `struct ptrace_rseq_configuration`.
struct rseq_configuration {
    uint64_t area;
    uint32_t size, signature, flags, padding;
};

enum { rseq_cs_offset = 8 };

struct range {
    uint64_t first, end;
};

/// The executable pages of the program itself, as opposed to its libraries.
static bool own_text(pid_t process, const char *program, struct range *text) {
    char path[64], line[4096];
    snprintf(path, sizeof path, "/proc/%d/maps", (int)process);
    FILE *maps = fopen(path, "re");
    bool found = false;
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        unsigned long long first, end;
        char rights[5];
        if (sscanf(line, "%llx-%llx %4s", &first, &end, rights) != 3) continue;
        if (rights[2] != 'x' || strstr(line, program) == NULL) continue;
        *text = (struct range){first, end};
        found = true;
        break;
    }
    if (maps != NULL) fclose(maps);
    return found;
}

/// Where the kernel reads the descriptor of the section that the thread is in; 0 without rseq.
static uint64_t section_address(pid_t process) {
    struct rseq_configuration configuration;
    long got = ptrace(PTRACE_GET_RSEQ_CONFIGURATION, process, sizeof configuration, &configuration);
    return got > 0 && configuration.area != 0 ? configuration.area + rseq_cs_offset : 0;
}

static bool append(struct step_result *result, size_t *room, struct step_count count) {
    if (result->count == *room) {
        *room = *room == 0 ? 1024 : *room * 2;
        struct step_count *larger = realloc(result->counts, *room * sizeof *larger);
        if (larger == NULL) return false;
        result->counts = larger;
    }
    result->counts[result->count++] = count;
    return true;
}

static int wait_for(pid_t process) {
    int status = 0;
    return waitpid(process, &status, 0) == process ? status : 0;
}

static bool is_breakpoint(pid_t process) {
    siginfo_t information;
    if (ptrace(PTRACE_GETSIGINFO, process, NULL, &information) != 0) return false;
    return information.si_signo == SIGTRAP && information.si_code == SI_KERNEL;
}

/// Steps to the next breakpoint. Returns the last wait status.
static int step_call(pid_t process, struct range text, struct step_count *count) {
    uint64_t section = section_address(process);
    uint64_t previous = 0;
    for (;;) {
        if (ptrace(PTRACE_SINGLESTEP, process, NULL, NULL) != 0) return 0;
        int status = wait_for(process);
        if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP) return status;
        uint64_t at = (uint64_t)ptrace(PTRACE_PEEKUSER, process, offsetof(struct user, regs.rip), NULL);
        bool own = at >= text.first && at < text.end;
        if (own && is_breakpoint(process)) return status;
        // The kernel, which looks for a section to abort when the process goes on, finds none.
        if (section != 0) ptrace(PTRACE_POKEDATA, process, (void *)section, NULL);
        // Each stop outside the program's text stands before one instruction of the library.
        if (own) continue;
        count->instructions++;
        if (previous != 0 && (at < previous || at - previous > 15)) count->branches++;
        previous = at;
    }
}

static bool step_program(const struct measure_command *command, struct step_result *result) {
    pid_t process = process_start(command, true);
    if (process < 0) return failed(result->failure, "cannot start %s: %s", command->path, strerror(errno));
    int status = wait_for(process);
    if (!WIFSTOPPED(status)) return failed(result->failure, "%s did not stop at its start", command->path);
    ptrace(PTRACE_SETOPTIONS, process, NULL, (void *)(long)PTRACE_O_EXITKILL);
    struct range text;
    if (!own_text(process, command->path, &text)) {
        kill(process, SIGKILL);
        waitpid(process, &status, 0);
        return failed(result->failure, "cannot find the text of %s", command->path);
    }
    size_t room = 0;
    int signal = 0;
    for (;;) {
        if (ptrace(PTRACE_CONT, process, NULL, (void *)(intptr_t)signal) != 0) break;
        status = wait_for(process);
        if (!WIFSTOPPED(status)) break;
        if (!is_breakpoint(process)) {
            signal = WSTOPSIG(status);
            continue;
        }
        signal = 0;
        struct user_regs_struct registers;
        ptrace(PTRACE_GETREGS, process, NULL, &registers);
        if (registers.rax == 0) continue;
        struct step_count count = {.operation = (uint32_t)registers.rax};
        status = step_call(process, text, &count);
        if (!WIFSTOPPED(status)) break;
        if (!append(result, &room, count)) {
            kill(process, SIGKILL);
            waitpid(process, &status, 0);
            return failed(result->failure, "out of memory");
        }
    }
    result->status = status;
    return true;
}

/// On one CPU with the process that it steps: each step is a switch to it and back, dear between two CPUs.
bool step_run(const struct measure_command *command, struct step_result *result) {
    *result = (struct step_result){0};
    cpu_set_t before, one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    bool pinned = sched_getaffinity(0, sizeof before, &before) == 0 && sched_setaffinity(0, sizeof one, &one) == 0;
    bool complete = step_program(command, result);
    if (pinned) sched_setaffinity(0, sizeof before, &before);
    return complete;
}

#else

bool step_run(const struct measure_command *command, struct step_result *result) {
    (void)command;
    *result = (struct step_result){0};
    return failed(result->failure, "instructions are counted on x86-64 only");
}

#endif
