#include "percolate/layout.h"

struct percolate_front percolate_front;
