#ifndef PERCOLATE_CPU_OPV_H
#define PERCOLATE_CPU_OPV_H

/// Operation vectors: short sequences of memory operations that run once, in order, and exclude
/// every other vector and every gated restartable sequence on the same CPU number of this process.
///
/// The numbers, the layout, the limits, the order of the checks and the error numbers are those of
/// the `cpu_opv` system call proposed for Linux in its ten-operation form; two release operations
/// are appended. No system call of that name is ever issued: the vectors run in user space, behind
/// the CPU's gate.
///
/// What a caller gives for that: data handed to a vector may be written only by vectors and by the
/// restartable sequences of <percolate/rseq_ops.h> that name the same CPU, and must not be unmapped
/// while a vector that names it runs, unless the operand says `expect_fault`. Vectors of different
/// processes do not exclude each other, even on shared memory.

#include <errno.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The operations. Arithmetic works on unsigned integers of `len` bytes and wraps; immediates are
/// truncated to `len`.
enum cpu_op_type {
    /// Stops the vector when the two ranges differ.
    CPU_COMPARE_EQ_OP = 0,
    /// Stops the vector when the two ranges are the same.
    CPU_COMPARE_NE_OP = 1,
    /// Copies `len` bytes from `src` to `dst`.
    CPU_MEMCPY_OP = 2,
    /// `*p += count`
    CPU_ADD_OP = 3,
    /// `*p |= mask`
    CPU_OR_OP = 4,
    /// `*p &= mask`
    CPU_AND_OP = 5,
    /// `*p ^= mask`
    CPU_XOR_OP = 6,
    /// `*p <<= bits`
    CPU_LSHIFT_OP = 7,
    /// `*p >>= bits`, filling with zeros
    CPU_RSHIFT_OP = 8,
    /// A full memory barrier. `len` and the operands are ignored.
    CPU_MB_OP = 9,
    /// As `CPU_MEMCPY_OP`; a copy of 1, 2, 4 or 8 aligned bytes is a store-release, any other has a
    /// barrier before it.
    CPU_MEMCPY_RELEASE_OP = 10,
    /// As `CPU_ADD_OP`; the store is a store-release.
    CPU_ADD_RELEASE_OP = 11,
    /// How many operations there are: the answer to `CPU_OP_NR_FLAG`.
    NR_CPU_OPS = 12,
};

/// Flags of `cpu_opv`.
enum cpu_op_flags {
    /// Answer `NR_CPU_OPS` and look at nothing else.
    CPU_OP_NR_FLAG = 1 << 0,
    /// Answer `CPU_OP_VEC_LEN_MAX` and look at nothing else.
    CPU_OP_VEC_LEN_MAX_FLAG = 1 << 1,
};

/// The most operations of one vector.
#define CPU_OP_VEC_LEN_MAX 16
/// The bytes reserved for an operation's arguments.
#define CPU_OP_ARG_LEN_MAX 24
/// The most bytes of one compare or copy.
#define CPU_OP_DATA_LEN_MAX 4096
/// The most bytes of one vector: one longest operation and fifteen of eight bytes.
/// A compare and a copy count `len` once; a barrier does not count.
#define CPU_OP_VEC_DATA_LEN_MAX (CPU_OP_DATA_LEN_MAX + 15 * 8)

/// One operation: 32 bytes on every ABI. Addresses are 64 bits wide, so that one layout serves all.
///
/// A non-zero `expect_fault` byte turns the error of an operand that cannot be accessed from
/// `EFAULT` into `EAGAIN`, and lets that operand be unmapped while the vector runs.
struct cpu_op {
    /// One of `enum cpu_op_type`.
    int32_t op;
    /// Bytes: at most `CPU_OP_DATA_LEN_MAX` for a compare or a copy, where zero is an empty range;
    /// 1, 2, 4 or 8 for arithmetic.
    uint32_t len;
    union {
        struct {
            uint64_t a;
            uint64_t b;
            uint8_t expect_fault_a;
            uint8_t expect_fault_b;
        } compare_op;
        struct {
            uint64_t dst;
            uint64_t src;
            uint8_t expect_fault_dst;
            uint8_t expect_fault_src;
        } memcpy_op;
        struct {
            uint64_t p;
            int64_t count;
            uint8_t expect_fault_p;
        } arithmetic_op;
        struct {
            uint64_t p;
            uint64_t mask;
            uint8_t expect_fault_p;
        } bitwise_op;
        struct {
            uint64_t p;
            /// At most `8 * len - 1`.
            uint32_t bits;
            uint8_t expect_fault_p;
        } shift_op;
        char padding[CPU_OP_ARG_LEN_MAX];
    } u;
};

/// Runs the `count` operations at `cpuopv` once, in order, alone among the vectors and gated
/// sections of CPU `cpu`.
///
/// - Returns: 0 when every operation ran; the index plus one of the compare that stopped the
///   vector, where the stores before that compare stay; -1 with `errno` otherwise, and then nothing
///   was stored.
/// - `EINVAL`: unknown flag, or both questions at once; negative `cpu`, or one that the thread may
///   not run on; `count` outside 0...`CPU_OP_VEC_LEN_MAX`; unknown operation; `len` or `bits`
///   outside its limits; vector above `CPU_OP_VEC_DATA_LEN_MAX` bytes.
/// - `EFAULT`: the vector, or an operand without `expect_fault`, cannot be accessed as the
///   operation needs.
/// - `EAGAIN`: an operand with `expect_fault` cannot be accessed. There is no other reason.
///
/// May be called from any thread and from signal handlers. It blocks the thread's signals while it
/// runs, and waits while another vector of the same CPU runs. It allocates nothing.
int cpu_opv(struct cpu_op *cpuopv, int count, int cpu, int flags);

/// As `cpu_opv`, for every CPU number of the machine: the thread need not be allowed to run there.
///
/// A thread reads its CPU number, computes addresses, and operates on that CPU's data; when its
/// affinity is changed in between, the operation is as safe as before, and `cpu_opv` would refuse
/// it. The helpers use this entry.
int percolate_cpu_opv(struct cpu_op *cpuopv, int count, int cpu, int flags);

/// Says to tracers that an operation on `address`, of CPU `cpu`, goes on as a vector because its
/// sequence did not commit. Free of effects otherwise.
void percolate_sequence_failed(const void *address, int cpu);

/// The same of a sequence by concurrency id.
void percolate_mm_cid_sequence_failed(const void *address, int mm_cid);

/// As `percolate_cpu_opv`, for the data of a concurrency id in place of a CPU number: see
/// <percolate/mm_cid_ops.h>. Ids are below `percolate_cpu_count()`. Excludes vectors and sections
/// that name the same id, and no others: data belongs to CPU numbers or to ids, never to both.
int percolate_mm_cid_opv(struct cpu_op *cpuopv, int count, int mm_cid, int flags);

/// The number of the CPU that the calling thread runs on, or ran on a moment ago. Never fails.
int percolate_running_cpu(void);

/// One more than the highest CPU number that the machine may ever use: what per-CPU memory needs
/// parts for. The same for as long as the process lives.
int percolate_cpu_count(void);

/// Whether the kernel gives threads concurrency ids (Linux 6.3), and sections may be indexed by
/// them: 1 or 0. Where not, vectors of ids work all the same, each under its lock.
int percolate_has_mm_cid(void);

#ifdef __cplusplus
}
#endif

#endif
