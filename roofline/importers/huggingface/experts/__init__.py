"""Families of experts, latent and sparse attention."""
