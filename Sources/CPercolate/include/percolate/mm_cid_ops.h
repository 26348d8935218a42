#ifndef PERCOLATE_MM_CID_OPS_H
#define PERCOLATE_MM_CID_OPS_H

/// The operations of <percolate/percpu_ops.h>, <percolate/cpu_op.h> and <percolate/rseq_ops.h> on
/// data that belongs to concurrency ids in place of CPUs: `percpu_mm_cid_addv` for `percpu_addv`,
/// `mm_cid_op_addv` for `cpu_op_addv`, `rseq_mm_cid_addv` for `rseq_addv`, and so on. Their last
/// argument is the id.
///
/// The kernel (Linux 6.3) gives each thread that runs an id that no other running thread of the
/// process has, and keeps ids small: a process of four threads on a machine of 256 CPUs uses four
/// parts of its data. In return a remote vector interrupts all CPUs that run the process, since an
/// id may be anywhere.
///
/// Data belongs to CPUs or to ids, never to both: an operation by CPU number and one by id do not
/// exclude each other. Where the kernel has no ids (`percolate_has_mm_cid`), every operation is a
/// vector under the lock of the id that it names.

#include <percolate/percpu_ops.h>

/// The concurrency id of the thread, now or a moment ago; 0 where it has none.
static inline int percpu_current_mm_cid(void) { return percolate_section_mm_cid(); }

#define PERCOLATE_BY_MM_CID
#undef PERCOLATE_STEP_CHECK_INDEX
#define PERCOLATE_STEP_CHECK_INDEX PERCOLATE_STEP_CHECK_MM_CID
#undef PERCOLATE_GATE_OF_INDEX
#define PERCOLATE_GATE_OF_INDEX percolate_gate_of_mm_cid
#define rseq_cmpeqv_storev rseq_mm_cid_cmpeqv_storev
#define rseq_cmpnev_storeoffp_load rseq_mm_cid_cmpnev_storeoffp_load
#define rseq_addv rseq_mm_cid_addv
#define rseq_offset_deref_addv rseq_mm_cid_offset_deref_addv
#define rseq_cmpeqv_trystorev_storev rseq_mm_cid_cmpeqv_trystorev_storev
#define rseq_cmpeqv_trystorev_storev_release rseq_mm_cid_cmpeqv_trystorev_storev_release
#define rseq_cmpeqv_cmpeqv_storev rseq_mm_cid_cmpeqv_cmpeqv_storev
#define rseq_cmpeqv_trymemcpy_storev rseq_mm_cid_cmpeqv_trymemcpy_storev
#define rseq_cmpeqv_trymemcpy_storev_release rseq_mm_cid_cmpeqv_trymemcpy_storev_release
#define percolate_cpu_op_cmpxchg mm_cid_op_cmpxchg
#define cpu_op_add mm_cid_op_add
#define cpu_op_add_release mm_cid_op_add_release
#define cpu_op_addv mm_cid_op_addv
#define cpu_op_cmpeqv_storev mm_cid_op_cmpeqv_storev
#define cpu_op_cmpeqv_storep_expect_fault mm_cid_op_cmpeqv_storep_expect_fault
#define cpu_op_cmpnev_storeoffp_load mm_cid_op_cmpnev_storeoffp_load
#define cpu_op_cmpeqv_storev_storev mm_cid_op_cmpeqv_storev_storev
#define cpu_op_cmpeqv_storev_mb_storev mm_cid_op_cmpeqv_storev_mb_storev
#define cpu_op_cmpeqv_storev_storev_release mm_cid_op_cmpeqv_storev_storev_release
#define cpu_op_cmpeqv_cmpeqv_storev mm_cid_op_cmpeqv_cmpeqv_storev
#define cpu_op_cmpeqv_memcpy_storev mm_cid_op_cmpeqv_memcpy_storev
#define cpu_op_cmpeqv_memcpy_mb_storev mm_cid_op_cmpeqv_memcpy_mb_storev
#define cpu_op_cmpeqv_memcpy_storev_release mm_cid_op_cmpeqv_memcpy_storev_release
#define percpu_cmpeqv_storev percpu_mm_cid_cmpeqv_storev
#define percpu_cmpeqv_storev_by_vector percpu_mm_cid_cmpeqv_storev_by_vector
#define percpu_cmpnev_storeoffp_load percpu_mm_cid_cmpnev_storeoffp_load
#define percpu_cmpnev_storeoffp_load_by_vector percpu_mm_cid_cmpnev_storeoffp_load_by_vector
#define percpu_addv percpu_mm_cid_addv
#define percpu_addv_by_vector percpu_mm_cid_addv_by_vector
#define percpu_cmpeqv_storev_storev percpu_mm_cid_cmpeqv_storev_storev
#define percpu_cmpeqv_storev_storev_by_vector percpu_mm_cid_cmpeqv_storev_storev_by_vector
#define percpu_cmpeqv_storev_storev_release percpu_mm_cid_cmpeqv_storev_storev_release
#define percpu_cmpeqv_storev_storev_release_by_vector percpu_mm_cid_cmpeqv_storev_storev_release_by_vector
#define percpu_cmpeqv_cmpeqv_storev percpu_mm_cid_cmpeqv_cmpeqv_storev
#define percpu_cmpeqv_cmpeqv_storev_by_vector percpu_mm_cid_cmpeqv_cmpeqv_storev_by_vector
#define percpu_cmpeqv_memcpy_storev percpu_mm_cid_cmpeqv_memcpy_storev
#define percpu_cmpeqv_memcpy_storev_by_vector percpu_mm_cid_cmpeqv_memcpy_storev_by_vector
#define percpu_cmpeqv_memcpy_storev_release percpu_mm_cid_cmpeqv_memcpy_storev_release
#define percpu_cmpeqv_memcpy_storev_release_by_vector percpu_mm_cid_cmpeqv_memcpy_storev_release_by_vector
#define percolate_cpu_opv percolate_mm_cid_opv
#define percolate_sequence_failed percolate_mm_cid_sequence_failed

#include <percolate/rseq_ops.h>

#include <percolate/cpu_op.h>

#include <percolate/percpu_ops.h>

#undef rseq_cmpeqv_storev
#undef rseq_cmpnev_storeoffp_load
#undef rseq_addv
#undef rseq_offset_deref_addv
#undef rseq_cmpeqv_trystorev_storev
#undef rseq_cmpeqv_trystorev_storev_release
#undef rseq_cmpeqv_cmpeqv_storev
#undef rseq_cmpeqv_trymemcpy_storev
#undef rseq_cmpeqv_trymemcpy_storev_release
#undef percolate_cpu_op_cmpxchg
#undef cpu_op_add
#undef cpu_op_add_release
#undef cpu_op_addv
#undef cpu_op_cmpeqv_storev
#undef cpu_op_cmpeqv_storep_expect_fault
#undef cpu_op_cmpnev_storeoffp_load
#undef cpu_op_cmpeqv_storev_storev
#undef cpu_op_cmpeqv_storev_mb_storev
#undef cpu_op_cmpeqv_storev_storev_release
#undef cpu_op_cmpeqv_cmpeqv_storev
#undef cpu_op_cmpeqv_memcpy_storev
#undef cpu_op_cmpeqv_memcpy_mb_storev
#undef cpu_op_cmpeqv_memcpy_storev_release
#undef percpu_cmpeqv_storev
#undef percpu_cmpeqv_storev_by_vector
#undef percpu_cmpnev_storeoffp_load
#undef percpu_cmpnev_storeoffp_load_by_vector
#undef percpu_addv
#undef percpu_addv_by_vector
#undef percpu_cmpeqv_storev_storev
#undef percpu_cmpeqv_storev_storev_by_vector
#undef percpu_cmpeqv_storev_storev_release
#undef percpu_cmpeqv_storev_storev_release_by_vector
#undef percpu_cmpeqv_cmpeqv_storev
#undef percpu_cmpeqv_cmpeqv_storev_by_vector
#undef percpu_cmpeqv_memcpy_storev
#undef percpu_cmpeqv_memcpy_storev_by_vector
#undef percpu_cmpeqv_memcpy_storev_release
#undef percpu_cmpeqv_memcpy_storev_release_by_vector
#undef percolate_cpu_opv
#undef percolate_sequence_failed
#undef PERCOLATE_GATE_OF_INDEX
#define PERCOLATE_GATE_OF_INDEX percolate_gate_of
#undef PERCOLATE_STEP_CHECK_INDEX
#define PERCOLATE_STEP_CHECK_INDEX PERCOLATE_STEP_CHECK_CPU
#undef PERCOLATE_BY_MM_CID

#endif
