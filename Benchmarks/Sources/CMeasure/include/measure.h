/// Runs a program and reads, at its end, what it used: the process that ran it is stopped by ptrace as it exits, while its
/// address space still exists, so that the peak is its own. (`ru_maxrss` survives exec, so it also counts whoever forked.)
///
/// Descendants are followed, threads are not: a traced thread would pay for being traced.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct measure_command {
    const char *path;
    char *const *arguments;    ///< NULL at the end, the program's name first
    char *const *environment;  ///< NULL at the end
    const char *directory;
    const char *input;   ///< file that is standard input; NULL for none
    const char *output;  ///< file that receives standard output
    const char *errors;  ///< file that receives standard error
    uid_t user;          ///< 0: as the caller
    gid_t group;
};

struct measure_request {
    struct measure_command command;
    /// With a client, `command` is a server: the client starts when `ready_socket` accepts, its run is the time that counts,
    /// and `stop_signal` ends the server after it.
    const struct measure_command *client;
    const char *ready_socket;
    int stop_signal;
    /// A run that takes longer is killed, and says so.
    double limit_seconds;
    /// Distance of the samples of the timeline; 0 for none.
    double sample_seconds;
    /// The preloaded file, as it appears in a process's map.
    const char *library;
};

struct measure_sample {
    double seconds;
    uint64_t resident_bytes;
};

struct measure_result {
    int status;  ///< as from wait(2), of the command
    int client_status;
    bool timed_out;
    bool library_mapped;  ///< the command itself had `library` mapped when it ended
    double wall_seconds;
    double user_seconds;    ///< with descendants that were waited for
    double system_seconds;  ///< likewise
    uint64_t peak_resident_bytes;  ///< the largest VmHWM of any process of the tree
    uint64_t minor_faults;         ///< since exec, with descendants that were waited for
    uint64_t major_faults;
    struct measure_sample *samples;
    size_t sample_count;
    char failure[256];  ///< what could not be done, when `measure_run` returns false
};

/// Blocks until the program has ended. Must not run twice at the same time on one thread. Free the result in either case.
bool measure_run(const struct measure_request *request, struct measure_result *result);
void measure_result_free(struct measure_result *result);

/// Runs a command that is not measured. Returns its status as from wait(2), or -1 with errno when it cannot be started.
int command_run(const struct measure_command *command);

/// One call that was single-stepped: which one, and how many instructions ran outside the program's own text.
struct step_count {
    uint32_t operation;
    uint32_t instructions;
    uint32_t branches;  ///< instructions after which execution went on elsewhere
};

struct step_result {
    struct step_count *counts;
    size_t count;
    int status;
    char failure[256];
};

/// Single-steps a program from each breakpoint trap whose operation register (rax) is not zero to the next one.
///
/// A single step aborts a restartable sequence, so the sequence's descriptor is cleared after each step: the section then
/// runs to its end as it would undisturbed. That is sound because the stepped process has one thread, pinned to one CPU.
bool step_run(const struct measure_command *command, struct step_result *result);
void step_result_free(struct step_result *result);
