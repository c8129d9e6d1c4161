"""What answers are made of in Python: rows that turn into frames, points of a grid, summaries, hints."""
