"""Levels of execution of image models."""
