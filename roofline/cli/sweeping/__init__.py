"""What `roofline sweep` does beside computing: where rows go, how far it is, and what is told."""
