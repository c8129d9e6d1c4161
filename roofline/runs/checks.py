"""What a user asks, checked at the door: whole numbers in range, known words."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from math import isfinite, nan
from numbers import Real
from typing import Any, Final

from roofline.errors import UsageError, did_you_mean
from roofline.num import Num, all_hold, as_num, floor
from roofline.runs.option import Option
from roofline.runs.options import KEYWORDS, SIZES
from roofline.units import not_a_number

#: The largest batch, prompt or number of generated tokens that is taken for meant.
LARGEST = 1e9


def whole_number(name: str, value: Any, least: int = 1) -> Num:
    """A whole number (or a grid of them) from `least` to 1e9, as Num. Raises UsageError naming the option."""
    if isinstance(value, str):
        raise UsageError(not_a_number(f"--{name}", value, "a whole number"))
    if isinstance(value, (bool, bytes)) or value is None:
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


def number(name: str, value: Any, least: float, most: float, what: str = "") -> float:
    """A number from `least` to `most`, or text that is one. Raises UsageError naming the option."""
    try:
        found = nan if _is_flag(value) or isinstance(value, bytes) else float(value)
    except (TypeError, ValueError, OverflowError):
        found = nan
    if not least <= found <= most:
        wanted = f"a number from {least:g} to {most:g} ({what})" if what else f"a number from {least:g} to {most:g}"
        raise UsageError(f"--{name} must be {wanted}, not {_given(value)}")
    return found


def _given(value: Any) -> str:
    """A number as it was given, `0` and not `0.0`; text and all else in quotes."""
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    return f"{value:g}" if plain else repr(str(value)[:40])


def _shown(value: Any) -> str:
    if getattr(value, "size", 0) == 1 and value.dtype.kind in "iuf":  # of a grid with one point
        value = f"{float(value.reshape(-1)[0]):g}"
    text = f"{value!r}" if isinstance(value, (int, float)) else str(value)
    return text if len(text) <= 40 else text[:37] + "..."


def one_of(name: str, value: str, known: Iterable[str]) -> str:
    """A word of a known set. Raises UsageError with the nearest."""
    pool = list(known)
    if value not in pool:
        hint = did_you_mean(str(value), pool)
        raise UsageError(f"--{name} must be one of {', '.join(pool)}, not {str(value)[:40]!r}. {hint}".rstrip())
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
    return not _is_spec(value) and getattr(value, "ndim", 1) > 0


def _is_spec(value: Any) -> bool:
    from roofline.specs.base import Spec

    return isinstance(value, Spec)


#: Options that take what was loaded, beside its name.
_SPECS: Final = frozenset({"draft"})

_WORDS: Final = {
    "int": "a whole number",
    "float": "a number",
    "str": "a name or a word",
    "bool": "True or False",
    "str | float": "a quantity with its unit, or a number",
    "str | int": "a whole number, or a word",
    "bool | str": "True, False or a word",
}


def named(what: str, value: Any) -> str:
    """A name or a path as text. Raises UsageError for anything else: None, a number, bytes."""
    found = _text(value)
    if found is None:
        raise UsageError(f"{what} is a name, a file or a spec, not {_as_written(value)}")
    return found


def checked(options: Mapping[str, Any], known: Mapping[str, Option] = KEYWORDS) -> dict[str, Any]:
    """The options with paths as text and numbers of numpy as plain ones.

    Raises UsageError for the first value that is none of its option's type, or no number, or without an end. Sizes are
    left as they are: they may be arrays and are checked where they are read.
    """
    return {name: _checked(known[name], value) for name, value in options.items()}


def _checked(option: Option, value: Any) -> Any:
    if option.size or value is option.default or (value is None and not option.default):
        return value
    if option.name in _SPECS and _is_spec(value):
        return value
    if option.metavar == "SIZE" and isinstance(value, Real):
        return value  # it lacks its unit, which is said where it is read
    found = _of_type(option.type.split(" | "), value)
    if found is None:
        wanted = "a name or a file" if "FILE" in option.metavar else _WORDS[option.type]
        raise UsageError(f"{option.flag} must be {wanted}, not {_as_written(value)}")
    return found


def _of_type(types: list[str], value: Any) -> Any:
    """The value, if it is of one of these types; else None."""
    if _is_flag(value):
        return bool(value) if "bool" in types else None
    text = _text(value)
    if text is not None:
        return text if "str" in types else None
    if isinstance(value, Real) and ("int" in types or "float" in types):
        number = value if isinstance(value, (int, float)) else _plain(value)
        return number if _is_finite(number) else None
    return value if types == ["bool"] and value in (0, 1) else None


def _is_finite(number: float) -> bool:
    """Whether it is a number that a float can be: whole ones of hundreds of digits are none."""
    try:
        return isfinite(float(number))
    except OverflowError:
        return False


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool) or type(value).__name__ in ("bool_", "bool")


def _plain(value: Any) -> float:
    number = float(value)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _text(value: Any) -> str | None:
    """Text, or a path as text; None for all else."""
    if isinstance(value, str):
        return str(value)
    found = os.fspath(value) if isinstance(value, os.PathLike) else None
    return found if isinstance(found, str) else None


def _as_written(value: Any) -> str:
    text = f"{value!r}"
    return text if len(text) <= 40 else text[:37] + "..."
