"""Tables of what things cost and of the energy that they take."""
