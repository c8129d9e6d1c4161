"""What is told of a training run: sentences, warnings, derivations, what would help."""
