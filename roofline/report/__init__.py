"""The answers, for people and for programs."""
