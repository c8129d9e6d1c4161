"""Specs and runs to ops."""
