"""Training: from the ops of a forward pass to those of a backward pass, of what it repeats and of the optimizer."""
