"""What each op of an image model reads and writes, by its name."""
