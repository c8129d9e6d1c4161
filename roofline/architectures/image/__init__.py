"""The parts of image models."""
