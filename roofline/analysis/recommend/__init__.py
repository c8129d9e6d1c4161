"""Which machine to take: the few best plans for users or a rate, limits on times and a budget."""
