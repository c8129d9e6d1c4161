"""Families with states: state spaces, linear attention, hybrids."""
