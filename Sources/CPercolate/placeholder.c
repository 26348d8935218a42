int percolate_placeholder;
