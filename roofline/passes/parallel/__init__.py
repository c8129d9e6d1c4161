"""What one device of several runs."""
