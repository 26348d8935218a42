#include "percolate/samples.h"

struct percolate_samples percolate_samples = {
    .version = PERCOLATE_SAMPLES_VERSION,
    .size = sizeof(struct percolate_samples),
    .record_stride = sizeof(struct percolate_sample),
    .site_stride = sizeof(struct percolate_sample_site),
};
