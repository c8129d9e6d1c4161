"""Training of image models: which ops a step runs, and what is kept of its forward pass."""
