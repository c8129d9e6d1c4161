"""The roofline itself: machines, engines, time."""
