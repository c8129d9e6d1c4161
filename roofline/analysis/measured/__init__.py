"""Expected times and measured runs: fit, validate, leave out, cite."""
