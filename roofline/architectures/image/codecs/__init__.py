"""Autoencoders, and how they run over pictures: whole, one by one, in tiles."""
