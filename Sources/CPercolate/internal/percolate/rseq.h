/// The kernel's restartable-sequence ABI, as far as Percolate uses it (Linux:
/// include/uapi/linux/rseq.h, rseq(2)).
#ifndef PERCOLATE_RSEQ_H
#define PERCOLATE_RSEQ_H

/// The signature glibc registers with; the four bytes before every abort handler. On AArch64 it is
/// an instruction, `brk`.
#if defined(__aarch64__)
#define PERCOLATE_RSEQ_SIGNATURE 0xd428bc00
#else
#define PERCOLATE_RSEQ_SIGNATURE 0x53053053
#endif

/// The flag of rseq(2) that takes a registration back.
#define PERCOLATE_RSEQ_UNREGISTER 1

#ifndef __ASSEMBLER__
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layout.h"

/// A thread's rseq area. The kernel writes all but `rseq_cs` and `slice_request`; Percolate never
/// writes anything else.
struct percolate_rseq_area {
    uint32_t cpu_id_start;
    int32_t cpu_id;
    uint64_t rseq_cs;
    /// Since Linux 7.0: what the kernel offers the thread (`time_slice.h`).
    uint32_t flags;
    uint32_t node_id;
    int32_t mm_cid;
    /// Since Linux 7.0 (`time_slice.h`). Both ways: the kernel clears a request that it grants.
    uint8_t slice_request;
    uint8_t slice_granted;
    uint16_t slice_reserved;
    /// What later kernels know.
    uint8_t more[32];
} __attribute__((aligned(64)));

_Static_assert(offsetof(struct percolate_rseq_area, slice_request) == 28, "rseq.h of the kernel");

/// glibc's description of the area that it registers for every thread (2.35 and later); absent
/// before.
extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));

/// Offset of glibc's area from the thread pointer. Meaningful only where
/// `percolate_rseq_glibc_size()` is not 0.
static inline ptrdiff_t percolate_rseq_glibc_offset(void) { return &__rseq_offset ? __rseq_offset : 0; }

/// The size glibc registered, 0 where it did not.
static inline unsigned int percolate_rseq_glibc_size(void) { return &__rseq_size ? __rseq_size : 0; }

/// Offset from the thread pointer of the area that Percolate registers itself when glibc did not.
ptrdiff_t percolate_rseq_own_offset(void) PERCOLATE_HIDDEN;

/// Bytes of it that are registered: all that the kernel knows (AT_RSEQ_FEATURE_SIZE), 32 at least.
/// Kernels since 7.0 offer what they learned since only to areas of that length.
uint32_t percolate_rseq_own_size(void) PERCOLATE_HIDDEN;

/// Registers the area of `size` bytes at `offset` from the calling thread's pointer: 0, -EBUSY
/// where it is registered, or another negative errno.
long percolate_rseq_register(ptrdiff_t offset, uint32_t size) PERCOLATE_HIDDEN;

/// Whether the kernel has the system call. It changes nothing.
int percolate_rseq_is_known(void) PERCOLATE_HIDDEN;

/// Whether the running kernel aborts a section whose thread it preempts: for AArch64, Linux 6.19 to
/// 7.0.13 do not where the thread goes on on the same CPU.
bool percolate_kernel_aborts_sections(void) PERCOLATE_HIDDEN;

/// The same of a kernel for AArch64 of that release (uname(2)): "6.19.2-1-arm64".
bool percolate_arm64_release_aborts_sections(const char *release) PERCOLATE_HIDDEN;

/// The program's own call of rseq(2), which registers or unregisters an area of the program: the
/// result of the system call. An area that Percolate registered for the calling thread gives way to
/// it.
long percolate_rseq_call_of_program(void *area, uint32_t size, int flags, uint32_t signature) PERCOLATE_HIDDEN;

/// The CPU the caller runs on (sched_getcpu(3)); -1 where the kernel does not say.
int percolate_current_cpu(void) PERCOLATE_HIDDEN;

/// The calling thread's value of a 32-bit field of its area, `offset` bytes from the thread
/// pointer.
static inline int32_t percolate_rseq_field(ptrdiff_t offset) {
    int32_t value;
#if defined(__x86_64__)
    __asm__ volatile("movl %%fs:(%1), %0" : "=r"(value) : "r"(offset) : "memory");
#else
    value = *(volatile int32_t *)((char *)__builtin_thread_pointer() + offset);
#endif
    return value;
}
#endif
#endif
