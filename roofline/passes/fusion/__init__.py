"""How work is cut into kernels."""
