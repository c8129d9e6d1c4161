"""Models that hear, and models that attend to pictures."""
