"""A steady load of users on a serving engine: how many run at once, and what each of them waits for."""
