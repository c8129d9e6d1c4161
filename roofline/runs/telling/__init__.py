"""What is told beside the numbers of every kind of run."""
