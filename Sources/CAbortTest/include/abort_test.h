/// Whether this kernel really aborts restartable sequences. Kernels have been released that, on
/// some architectures, let a preempted section go on; everything that relies on sections then
/// corrupts memory without a sign.
#ifndef PERCOLATE_ABORT_TEST_H
#define PERCOLATE_ABORT_TEST_H

enum abort_test_result {
    /// The section was aborted.
    ABORT_TEST_PASSED,
    /// What should have aborted the section happened, and the section ran to its end.
    ABORT_TEST_FAILED,
    /// The section ran to its end, but nothing happened that should have aborted it.
    ABORT_TEST_UNDECIDED,
    /// The test needs what is not there: a registered thread, a second CPU, or the fence.
    ABORT_TEST_NOT_RUN,
};

/// Holds a section open on one CPU until another thread has taken the CPU away from it. Takes some
/// milliseconds where sections are aborted, and about a second where they are not.
enum abort_test_result abort_test_preemption(void);

/// Holds a section open on one CPU while a thread on another calls membarrier's fence for sections,
/// for which it registers the process.
enum abort_test_result abort_test_fence(void);

#endif
