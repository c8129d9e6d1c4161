"""What a user asks, checked at the door: whole numbers in range, known words."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from roofline.errors import UsageError, nearest
from roofline.num import Num, all_hold, as_num, floor
from roofline.runs.options import SIZES

#: The largest batch, prompt or number of generated tokens that is taken for meant.
LARGEST = 1e9


def whole_number(name: str, value: Any, least: int = 1) -> Num:
    """A whole number (or a grid of them) from `least` to 1e9, as Num. Raises UsageError naming the option."""
    if isinstance(value, (bool, str, bytes)) or value is None:
        raise UsageError(f"--{name} must be a whole number, not {value!r}")
    if getattr(getattr(value, "dtype", None), "kind", "f") not in "iufO" or isinstance(value, complex):
        raise UsageError(f"--{name} must be a whole number, not {_shown(value)}")
    try:
        number = as_num(value)
        if not isinstance(number, float) and not number.ndim:
            number = float(number)
    except (TypeError, ValueError, OverflowError):
        raise UsageError(f"--{name} must be a whole number, not {str(value)[:40]!r}") from None
    if not isinstance(number, float) and not number.size:
        raise UsageError(f"--{name} has no values")
    in_range = all_hold(number >= least) and all_hold(number <= LARGEST)
    if not in_range or not all_hold(number == floor(number)):
        raise UsageError(f"--{name} must be a whole number from {least} to {LARGEST:.0e}, not {_shown(value)}")
    return number


def _shown(value: Any) -> str:
    text = f"{value!r}" if isinstance(value, (int, float)) else str(value)
    return text if len(text) <= 40 else text[:37] + "..."


def one_of(name: str, value: str, known: Iterable[str]) -> str:
    """A word of a known set. Raises UsageError with the nearest."""
    pool = list(known)
    if value not in pool:
        close = nearest(str(value), pool, 1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise UsageError(f"--{name} must be one of {', '.join(pool)}, not {str(value)[:40]!r}.{hint}")
    return value


def check_single(given: Mapping[str, Any]) -> None:
    """Raises UsageError where an option is given several values. A size may be a numpy array."""
    for name, value in given.items():
        if is_many(value) and not (name in SIZES and hasattr(value, "ndim")):
            shown = str(value)
            shown = shown if len(shown) <= 40 else shown[:37] + "..."
            raise UsageError(f"{name} takes one value here, not {shown}; roofline.sweep takes several")


def is_many(value: Any) -> bool:
    """Whether this is several values: a list, a range, an array with an axis, but no text, path or spec."""
    if isinstance(value, (str, int, float, bytes, os.PathLike)) or not isinstance(value, Iterable):
        return False
    from roofline.specs.base import Spec

    return not isinstance(value, Spec) and getattr(value, "ndim", 1) > 0
