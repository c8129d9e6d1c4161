"""Kernel models: what a chip makes of one kernel."""
