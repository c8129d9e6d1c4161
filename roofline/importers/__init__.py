"""Other people's descriptions to specs."""
