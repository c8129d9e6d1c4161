"""Runs of image models: from prompt to picture."""
