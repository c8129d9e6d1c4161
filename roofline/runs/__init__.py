"""The kinds of run, and what every question has in common: options, execution, where it runs."""
