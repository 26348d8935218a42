// The names of the sequences stand for those by concurrency id from here on: as
// <percolate/mm_cid_ops.h> makes them, but without the vectors, which need a C library.
#ifndef BY_MM_CID_H
#define BY_MM_CID_H

#include <percolate/rseq_ops.h>

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

#include <percolate/rseq_ops.h>

#endif
