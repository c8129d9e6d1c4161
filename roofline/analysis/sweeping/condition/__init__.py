"""Conditions on rows, in a small language of their own: nothing of them is run as a program."""
