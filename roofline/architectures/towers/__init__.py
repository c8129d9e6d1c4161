"""Encoders of pictures and sound that stand beside a language model."""
