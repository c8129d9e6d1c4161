"""The answer of a serving engine: the load of its users from the phases of one request and of all of them."""
