"""Tables of training: a run, and ways to count it."""
