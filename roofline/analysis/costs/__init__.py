"""Rent or buy, host it or call an API: what each costs for one run, and from when the other is cheaper."""
