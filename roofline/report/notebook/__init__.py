"""How answers show themselves in a notebook: the tables of the command line, as HTML."""
