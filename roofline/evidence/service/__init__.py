"""Servers measured: first tokens of benches against the steady load, and the server's own time in them."""
