import CPercolate
