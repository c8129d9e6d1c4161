"""Mixers that carry a state of a fixed size: state spaces, linear attention, recurrences."""
