"""Families whose files bring code of their own, which no class of transformers 5.24.0 replaces."""
