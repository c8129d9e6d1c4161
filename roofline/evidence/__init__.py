"""The workshop: measured runs and kernels, what is fitted to them, and how well it predicts."""
