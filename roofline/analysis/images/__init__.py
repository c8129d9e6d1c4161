"""The questions about image models."""
