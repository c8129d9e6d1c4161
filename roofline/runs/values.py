"""Values of options by their types, as the declaration of options has them: others are refused at the door."""

from __future__ import annotations

import os
from collections.abc import Mapping
from math import isfinite
from numbers import Real
from typing import Any, Final

from roofline.errors import UsageError
from roofline.runs.options import KEYWORDS, Option

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
        raise UsageError(f"{what} is a name, a file or a spec, not {_shown(value)}")
    return found


def checked(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options with paths as text and numbers of numpy as plain ones.

    Raises UsageError for the first value that is none of its option's type, or no number, or without an end. Sizes are
    left as they are: they may be arrays and are checked where they are read.
    """
    return {name: _checked(KEYWORDS[name], value) for name, value in options.items()}


def _checked(option: Option, value: Any) -> Any:
    if option.size or value is option.default or (value is None and not option.default):
        return value
    if option.metavar == "SIZE" and isinstance(value, Real):
        return value  # it lacks its unit, which is said where it is read
    found = _of_type(option.type.split(" | "), value)
    if found is None:
        wanted = "a name or a file" if "FILE" in option.metavar else _WORDS[option.type]
        raise UsageError(f"{option.flag} must be {wanted}, not {_shown(value)}")
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
        return number if isfinite(number) else None
    return value if types == ["bool"] and value in (0, 1) else None


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


def _shown(value: Any) -> str:
    text = f"{value!r}"
    return text if len(text) <= 40 else text[:37] + "..."
