"""What is known of a chip, whose measured coefficients it takes, and how an engine scales them."""
