"""Engines fitted to runs, and their intervals."""
