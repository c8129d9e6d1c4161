"""One run on several devices: its parts, their cost, how few will do."""
