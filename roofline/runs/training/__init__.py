"""Runs that train a model: what is asked of one, and how it is laid over devices."""
