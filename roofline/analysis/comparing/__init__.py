"""Runs side by side: what they take, the ratios between them, and which of them is the best, where that is certain."""
