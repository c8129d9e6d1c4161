"""Answers for people, as tables."""
