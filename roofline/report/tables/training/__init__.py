"""The tables about training."""
