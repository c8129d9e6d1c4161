"""How parameters are stored."""
