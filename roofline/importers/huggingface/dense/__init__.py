"""Families whose layers are dense."""
