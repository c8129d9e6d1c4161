"""The roofline plot: its kernels, dots, roofs and labels."""
