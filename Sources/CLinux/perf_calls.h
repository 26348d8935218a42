#ifndef PERCOLATE_PERF_CALLS_H
#define PERCOLATE_PERF_CALLS_H

/// perf_event_open(2) as the command uses it: events at instructions of a file (uprobes), sampled
/// into rings that are read while they are written.

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/// A disabled event at byte `offset` of the file at `path`, for every process on `cpu`. While it
/// exists the kernel holds the semaphore at byte `semaphore` of the file raised. Its samples have
/// the id, the thread, the time of the monotonic clock, the CPU and the user's registers in the
/// mask `registers`. Readings have the count and, with `counts_lost`, the number of lost samples
/// (Linux 6.0).
/// -1 with errno set when the kernel refuses.
static inline int linux_open_probe(
    uint32_t type, const char *_Nonnull path, uint64_t offset, uint64_t semaphore, uint64_t registers, int cpu,
    int counts_lost) {
    struct perf_event_attr attribute;
    memset(&attribute, 0, sizeof attribute);
    attribute.size = sizeof attribute;
    attribute.type = type;
    attribute.config = semaphore << 32;
    attribute.uprobe_path = (uintptr_t)path;
    attribute.probe_offset = offset;
    attribute.sample_period = 1;
    attribute.sample_type =
        PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU | PERF_SAMPLE_REGS_USER;
    // PERF_FORMAT_LOST, which older headers do not name.
    attribute.read_format = counts_lost ? 1 << 4 : 0;
    attribute.sample_regs_user = registers;
    attribute.disabled = 1;
    attribute.use_clockid = 1;
    attribute.clockid = CLOCK_MONOTONIC;
    attribute.watermark = 1;
    attribute.wakeup_watermark = 65536;
    return (int)syscall(SYS_perf_event_open, &attribute, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

/// The number that samples of an event carry. 0, or -1 with errno set.
static inline int linux_event_id(int event, uint64_t *_Nonnull id) { return ioctl(event, PERF_EVENT_IOC_ID, id); }

/// Makes `event` write into the ring of `other`. 0, or -1 with errno set.
static inline int linux_share_ring(int event, int other) { return ioctl(event, PERF_EVENT_IOC_SET_OUTPUT, other); }

static inline int linux_enable_event(int event) { return ioctl(event, PERF_EVENT_IOC_ENABLE, 0); }

/// Where the kernel will write next, and everything before it written.
static inline uint64_t linux_ring_head(const void *_Nonnull page) {
    return __atomic_load_n(&((const struct perf_event_mmap_page *)page)->data_head, __ATOMIC_ACQUIRE);
}

/// Gives the ring's bytes before `tail` back to the kernel.
static inline void linux_set_ring_tail(void *_Nonnull page, uint64_t tail) {
    __atomic_store_n(&((struct perf_event_mmap_page *)page)->data_tail, tail, __ATOMIC_RELEASE);
}

/// A pipe that programs which this process executes do not inherit. 0, or -1 with errno set.
static inline int linux_private_pipe(int *_Nonnull ends) { return pipe2(ends, O_CLOEXEC); }

/// Closes the descriptors of a range, both ends included (Linux 5.9).
static inline long linux_close_range(unsigned int first, unsigned int last) {
    return syscall(SYS_close_range, first, last, 0);
}

/// fork(2), for a process of one thread. The child may do what a child of such a process may.
static inline pid_t linux_fork(void) { return fork(); }

/// Whether the process ignores a signal.
static inline int linux_ignores(int number) {
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static inline void linux_reset_signal(int number) { signal(number, SIG_DFL); }

static inline void linux_ignore_signal(int number) { signal(number, SIG_IGN); }

/// Makes this process the parent of descendants whose own parent has ended.
static inline int linux_adopt_orphans(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L); }

#endif
