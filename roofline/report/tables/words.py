"""Numbers in words."""

from __future__ import annotations


def count(value: float) -> str:
    """A large count in words that people use: ``7.24 billion``."""
    for scale, word in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if value >= 0.9995 * scale:
            return f"{value / scale:.3g} {word}"
    return f"{value:,.0f}"


def percent(share: float) -> str:
    """A share in per cent; far beyond the whole, that it is so."""
    return f"{100 * share:,.1f} %" if share < 9.995 else ">999 %"
