#include "percolate/time_slice.h"

#include "percolate/process.h"

/// Of <linux/prctl.h> and <linux/rseq.h> since 7.0, and the system call's number on every
/// architecture.
enum {
    SLICE_EXTENSION = 79,
    SLICE_EXTENSION_SET = 2,
    SLICE_EXTENSION_ENABLE = 1,
    IS_AVAILABLE = 1 << 4,
    IS_ENABLED = 1 << 5,
    SLICE_YIELD = 471,
    /// Bytes of an area that has all of it.
    WHOLE_AREA = 33,
};

intptr_t percolate_slice_area;
uint64_t percolate_slices_extended, percolate_slices_yielded;

/// Volatile: the kernel reads and writes it between any two instructions.
typedef volatile struct percolate_rseq_area area_t;

static struct percolate_rseq_area *own_area(void) {
    return (struct percolate_rseq_area *)(percolate_thread_pointer() + (uintptr_t)percolate_slice_area);
}

static void count(uint64_t *events) { __atomic_fetch_add(events, 1, __ATOMIC_RELAXED); }

/// Whether the kernel heeds the thread's requests, once it was asked to.
static bool is_enabled(struct percolate_thread *thread, area_t *area) {
    if (area->cpu_id < 0) return false;
    if (area->flags & IS_ENABLED) return true;
    if (!(area->flags & IS_AVAILABLE) || thread->is_refused_slices) return false;
    long result = percolate_raw_syscall6(
        SYS_prctl, SLICE_EXTENSION, SLICE_EXTENSION_SET, SLICE_EXTENSION_ENABLE, 0, 0, 0);
    // A vfork child, which is not registered, has its parent's record: that one may ask again.
    thread->is_refused_slices = result != 0 && result != -ENXIO;
    return result == 0;
}

static void request(struct percolate_thread *thread, area_t *area) {
    if (!percolate_is_restricted() && is_enabled(thread, area)) area->slice_request = 1;
}

void percolate_begin_hold_in(struct percolate_thread *thread, struct percolate_rseq_area *area) {
    if (thread->holds++ == 0) request(thread, area);
}

void percolate_end_hold_in(struct percolate_thread *thread, struct percolate_rseq_area *area) {
    area_t *shared = area;
    if (thread->holds == 0 || --thread->holds > 0) return;
    shared->slice_request = 0;
    // The grant may be revoked before the call, which then does nothing.
    if (!shared->slice_granted) return;
    count(&percolate_slices_extended);
    if (percolate_is_restricted()) return;
    if (percolate_raw_syscall6(SLICE_YIELD, 0, 0, 0, 0, 0, 0) == 1) count(&percolate_slices_yielded);
}

void percolate_begin_own_hold(void) { percolate_begin_hold_in(percolate_this_thread(), own_area()); }

void percolate_end_own_hold(void) { percolate_end_hold_in(percolate_this_thread(), own_area()); }

void percolate_forget_holds(void) {
    struct percolate_thread *thread = percolate_this_thread();
    if (percolate_slice_area == 0 || thread->holds == 0) return;
    thread->holds = 0;
    ((area_t *)own_area())->slice_request = 0;
}

static long call_of_holder(long a, long b, long c, long d, long e, long f, long number) {
    struct percolate_thread *thread = percolate_this_thread();
    area_t *area = own_area();
    if (thread->holds == 0) return percolate_raw_syscall6(number, a, b, c, d, e, f);
    area->slice_request = 0;
    if (area->slice_granted) count(&percolate_slices_extended);
    long result = percolate_raw_syscall6(number, a, b, c, d, e, f);
    if (thread->holds > 0) request(thread, area);
    return result;
}

long percolate_system_call(long a, long b, long c, long d, long e, long f, long number) {
    if (__builtin_expect(percolate_slice_area != 0, 0)) return call_of_holder(a, b, c, d, e, f, number);
    return percolate_raw_syscall6(number, a, b, c, d, e, f);
}

/// Whether a filter decides which system calls the process makes (prctl(2), PR_GET_SECCOMP).
static bool is_filtered(void) {
    // A kernel without filters does not know the question; any other error is a filter's.
    long result = percolate_raw_syscall6(SYS_prctl, 21, 0, 0, 0, 0, 0);
    return result != 0 && result != -EINVAL;
}

bool percolate_start_slices(intptr_t offset, uint32_t size, bool despite_filter) {
    if (size < WHOLE_AREA) return false;
    area_t *area = (area_t *)(percolate_thread_pointer() + (uintptr_t)offset);
    if (!(area->flags & IS_AVAILABLE) || (!despite_filter && is_filtered())) return false;
    if (!is_enabled(percolate_this_thread(), area)) return false;
    percolate_slice_area = offset;
    return true;
}
