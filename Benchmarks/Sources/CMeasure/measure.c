#define _GNU_SOURCE
#include "process.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { most_processes = 4096 };

struct run {
    const struct measure_request *request;
    struct measure_result *result;
    pid_t command, client;
    pid_t traced[most_processes];
    size_t traced_count;
    double started;
    struct process_exit at_exec;
    bool command_ended, client_ended;

    // Shared with the watcher, which samples and enforces the limit.
    pthread_mutex_t lock;
    pthread_cond_t ended_changed;
    bool ended;
    bool timed_out;
};

static bool is_traced(struct run *run, pid_t process) {
    for (size_t i = 0; i < run->traced_count; i++) {
        if (run->traced[i] == process) return true;
    }
    return false;
}

static void forget(struct run *run, pid_t process) {
    for (size_t i = 0; i < run->traced_count; i++) {
        if (run->traced[i] == process) run->traced[i] = run->traced[--run->traced_count];
    }
}

/// Samples the command's resident bytes and kills it at the limit; ends when the run does.
static void *watch(void *argument) {
    struct run *run = argument;
    const struct measure_request *request = run->request;
    struct measure_result *result = run->result;
    size_t room = 0;
    double step = request->sample_seconds > 0 ? request->sample_seconds : 0.05;
    pthread_mutex_lock(&run->lock);
    while (!run->ended) {
        double now = monotonic_seconds();
        if (now - run->started > request->limit_seconds && !run->timed_out) {
            run->timed_out = true;
            kill(run->command, SIGKILL);
            if (run->client > 0 && !run->client_ended) kill(run->client, SIGKILL);
        }
        uint64_t resident = request->sample_seconds > 0 ? process_resident(run->command) : 0;
        if (resident > 0) {
            if (result->sample_count == room) {
                room = room == 0 ? 256 : room * 2;
                struct measure_sample *larger = realloc(result->samples, room * sizeof *larger);
                if (larger == NULL) break;
                result->samples = larger;
            }
            result->samples[result->sample_count++] = (struct measure_sample){now - run->started, resident};
        }
        double until = now + step;
        struct timespec wake = {(time_t)until, (long)((until - (double)(time_t)until) * 1e9)};
        pthread_cond_timedwait(&run->ended_changed, &run->lock, &wake);
    }
    pthread_mutex_unlock(&run->lock);
    return NULL;
}

static bool accepts(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) return false;
    strcpy(address.sun_path, path);
    int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection < 0) return false;
    bool accepted = connect(connection, (struct sockaddr *)&address, sizeof address) == 0;
    close(connection);
    return accepted;
}

static void at_exit_stop(struct run *run, pid_t process) {
    struct process_exit values;
    bool command = process == run->command;
    // A process killed half way through its exit may have no address space left; only the command itself must.
    if (!process_read(process, command ? run->request->library : NULL, &values)) return;
    if (values.peak_resident_bytes > run->result->peak_resident_bytes)
        run->result->peak_resident_bytes = values.peak_resident_bytes;
    if (command) run->result->library_mapped = values.library_mapped;
}

/// Lets a stopped tracee go on, with the signal that stopped it unless the stop was ours.
static void resume(struct run *run, pid_t process, int status) {
    int signal = WSTOPSIG(status);
    int event = status >> 16;
    if (event == PTRACE_EVENT_EXIT) at_exit_stop(run, process);
    if (event != 0) {
        signal = 0;
    } else if (!is_traced(run, process)) {
        // The first stop of a new descendant, made by the kernel.
        if (run->traced_count < most_processes) run->traced[run->traced_count++] = process;
        if (signal == SIGSTOP) signal = 0;
    }
    ptrace(PTRACE_CONT, process, NULL, (void *)(intptr_t)signal);
}

static void command_ended(struct run *run, int status, const struct rusage *usage) {
    struct measure_result *result = run->result;
    run->command_ended = true;
    result->status = status;
    if (run->request->client == NULL) result->wall_seconds = monotonic_seconds() - run->started;
    result->user_seconds = (double)usage->ru_utime.tv_sec + (double)usage->ru_utime.tv_usec * 1e-6;
    result->system_seconds = (double)usage->ru_stime.tv_sec + (double)usage->ru_stime.tv_usec * 1e-6;
    result->minor_faults = (uint64_t)usage->ru_minflt - run->at_exec.minor_faults;
    result->major_faults = (uint64_t)usage->ru_majflt - run->at_exec.major_faults;
}

/// Handles one change of state. Returns false when nothing is left to wait for.
static bool wait_once(struct run *run, int options) {
    int status;
    struct rusage usage;
    pid_t process = wait4(-1, &status, __WALL | __WNOTHREAD | options, &usage);
    if (process == 0) return true;
    if (process < 0) return errno == EINTR;
    if (WIFSTOPPED(status)) {
        resume(run, process, status);
        return true;
    }
    forget(run, process);
    if (process == run->command) {
        command_ended(run, status, &usage);
        // What outlives its parent would disturb the next run.
        for (size_t i = 0; i < run->traced_count; i++) kill(run->traced[i], SIGKILL);
        if (run->client > 0 && !run->client_ended) kill(run->client, SIGKILL);
    } else if (process == run->client) {
        run->client_ended = true;
        run->result->client_status = status;
        run->result->wall_seconds = monotonic_seconds() - run->started;
        if (!run->command_ended) kill(run->command, run->request->stop_signal);
    }
    return true;
}

static bool start_traced(struct run *run) {
    run->command = process_start(&run->request->command, true);
    if (run->command < 0)
        return failed(run->result->failure, "cannot start %s: %s", run->request->command.path, strerror(errno));
    int status;
    if (waitpid(run->command, &status, 0) != run->command || !WIFSTOPPED(status))
        return failed(run->result->failure, "%s did not stop at its start", run->request->command.path);
    long options = PTRACE_O_EXITKILL | PTRACE_O_TRACEEXIT | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC;
    process_read(run->command, NULL, &run->at_exec);
    run->traced[run->traced_count++] = run->command;
    if (ptrace(PTRACE_SETOPTIONS, run->command, NULL, (void *)options) != 0) {
        kill(run->command, SIGKILL);
        return failed(run->result->failure, "ptrace: %s", strerror(errno));
    }
    run->started = monotonic_seconds();
    ptrace(PTRACE_CONT, run->command, NULL, NULL);
    return true;
}

/// Waits for the server's socket, then starts the client. The server may fork meanwhile, so its stops are handled too.
static void start_client(struct run *run) {
    while (!run->command_ended && !accepts(run->request->ready_socket)) {
        wait_once(run, WNOHANG);
        usleep(2000);
    }
    if (run->command_ended) return;
    pthread_mutex_lock(&run->lock);
    run->client = process_start(run->request->client, false);
    pthread_mutex_unlock(&run->lock);
    run->started = monotonic_seconds();
    if (run->client < 0) {
        failed(run->result->failure, "cannot start %s: %s", run->request->client->path, strerror(errno));
        kill(run->command, SIGKILL);
    }
}

bool measure_run(const struct measure_request *request, struct measure_result *result) {
    *result = (struct measure_result){0};
    struct run *run = calloc(1, sizeof *run);
    if (run == NULL) return failed(result->failure, "out of memory");
    run->request = request;
    run->result = result;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&run->lock, NULL);
    pthread_cond_init(&run->ended_changed, &attributes);
    if (!start_traced(run)) {
        free(run);
        return false;
    }
    pthread_t watcher;
    if (pthread_create(&watcher, NULL, watch, run) != 0) {
        kill(run->command, SIGKILL);
        free(run);
        return failed(result->failure, "cannot start the watching thread");
    }
    if (request->client != NULL) start_client(run);
    while (wait_once(run, 0)) {}
    pthread_mutex_lock(&run->lock);
    run->ended = true;
    result->timed_out = run->timed_out;
    pthread_cond_signal(&run->ended_changed);
    pthread_mutex_unlock(&run->lock);
    pthread_join(watcher, NULL);
    bool complete = run->command_ended && result->failure[0] == 0;
    free(run);
    return complete || (result->failure[0] == 0 && failed(result->failure, "the program's end was not seen"));
}

void measure_result_free(struct measure_result *result) {
    free(result->samples);
    result->samples = NULL;
    result->sample_count = 0;
}
