"""The answer in a sentence or two: what limits a run, how sure that is, and what would help most."""
