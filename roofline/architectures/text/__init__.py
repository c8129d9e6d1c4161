"""The parts of language models."""
