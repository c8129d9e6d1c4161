"""Measured runs: the files, their rows, and the questions that they answer."""
