"""Published training runs: what each asks, how far the program is off, and the coefficients that follow."""
