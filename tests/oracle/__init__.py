"""Counts held against a framework's own."""
