"""Number formats of a checkpoint."""
