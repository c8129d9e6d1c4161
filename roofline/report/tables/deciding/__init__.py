"""Tables of what is decided between: runs side by side, plans, points of a sweep."""
