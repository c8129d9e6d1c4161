"""Tables of which models a machine runs, and which machines run a model."""
