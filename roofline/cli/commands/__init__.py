"""The commands, each module of which imports what it needs when it runs."""
