"""Does it fit: what is held, what there is room for, what would help, and which machines hold it."""
