"""Models in files that are not ours: imported, and compared with the tensors that they hold."""
