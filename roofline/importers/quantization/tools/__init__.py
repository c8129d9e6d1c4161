"""One reader per tool that quantises."""
