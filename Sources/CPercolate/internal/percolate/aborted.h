#ifndef PERCOLATE_ABORTED_H
#define PERCOLATE_ABORTED_H

/// Which section was aborted, in the words that C, assembly and the reader of a trace agree on.

#define PERCOLATE_ABORTED_ALLOCATION 0
#define PERCOLATE_ABORTED_DEALLOCATION 1
#define PERCOLATE_ABORTED_MOVE 2
#define PERCOLATE_ABORTED_CLOSE 3

#endif
