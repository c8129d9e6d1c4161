"""Memory as engines log it, beside ours."""
