"""From names to files, and from files to specs."""
