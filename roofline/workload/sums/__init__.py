"""Sums over the positions of a sequence."""
