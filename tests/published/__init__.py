"""The numbers of the articles, recomputed through the public API."""
