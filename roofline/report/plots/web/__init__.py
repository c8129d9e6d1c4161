"""Interactive pages: what a pointer shows, and how a finished figure becomes a page."""
