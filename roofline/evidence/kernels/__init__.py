"""Kernel models fitted to measured kernels."""
