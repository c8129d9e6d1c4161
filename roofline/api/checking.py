"""A number held against one that somebody published, in words."""

from __future__ import annotations

from math import isfinite
from typing import Final

from roofline.errors import UsageError

#: What the same number differs by when it is calculated in another order, relative.
_ROUNDING: Final = 1e-12
#: Whole numbers below this are told in full.
_LONGEST: Final = 1e16


def check(what: str, seen: float, expected: float, tolerance: float = 0.0) -> None:
    """Print what is seen beside what was expected, and stop where they differ.

    `tolerance` is relative to `expected`: 0.01 is one per cent, 0 asks for equality but for rounding. Raises
    AssertionError with the same sentence where they differ by more, UsageError for a tolerance that is none.
    """
    if not tolerance >= 0 or not isfinite(tolerance):
        raise UsageError(f"tolerance={tolerance!r}: a share of the expected value is meant, such as 0.01")
    matches = abs(seen - expected) <= max(tolerance, _ROUNDING) * abs(expected)
    within = f" within {100 * tolerance:g} %" if tolerance else ""
    verdict = f"match{within}" if matches else f"no match{within}"
    digits = 12 if not tolerance else 6
    told = f"{what}: we see {_shown(seen, digits)}, expected {_shown(expected, digits)}, {verdict}"
    if not matches:
        raise AssertionError(told)
    print(told)  # noqa: T201


def _shown(value: float, digits: int) -> str:
    """A number for people: whole ones in full, others to so many digits."""
    whole = abs(value) < _LONGEST and float(value).is_integer()
    return f"{value:,.0f}" if whole else f"{value:,.{digits}g}"
