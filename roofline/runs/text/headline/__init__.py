"""The headline quantities of language models."""
