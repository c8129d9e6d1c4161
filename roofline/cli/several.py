"""Several values of one option on the command line: repeated, as a list, as a range, or from a file.

--gpu a100 --gpu h100    --gpu a100,h100    --batch 1:256:x2    --prompt 128:4096:+128    --batch @batches.txt
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from math import log
from pathlib import Path
from typing import Any, Final

from roofline.errors import UsageError
from roofline.runs.options import KEYWORDS
from roofline.specs.files.paths import is_file, is_waiting_pipe
from roofline.units import not_a_number

#: The most values of one option: as many as a grid may have points along an axis.
MOST: Final = 50_000_000
#: Bytes of the longest file of values.
_LONGEST: Final = 16_000_000
#: Options whose one value may hold commas: they are given several times, or in a file.
_WITH_COMMAS: Final = ("kv_layout", "offload", "host", "draft")
_NUMBER: Final = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
_RANGE: Final = re.compile(rf"({_NUMBER}):({_NUMBER})(?::([x+])?({_NUMBER}))?", re.ASCII)
_COLONS: Final = re.compile(r"[-+.0-9eE]+:[-+.0-9eE:x*]*", re.ASCII)


def values_of(name: str, texts: Iterable[str]) -> Sequence[Any]:
    """The values of an option, in order. Raises UsageError for one that is not of its type, and for none at all."""
    parts = [part for text in texts for part in _parts(name, text.strip())]
    if len(parts) == 1:
        return parts[0]
    if sum(map(len, parts)) > MOST:
        raise _too_many(name)
    return list(chain.from_iterable(parts))


def _parts(name: str, text: str) -> Iterator[Sequence[Any]]:
    """The values of one text, in pieces."""
    if text.startswith("@"):
        yield [value for line in _lines(name, text[1:]) for part in _parts(name, line) for value in part]
        return
    whole = "=" in text or name in _WITH_COMMAS or is_file(Path(text))
    for piece in [text] if whole else text.split(","):
        if not piece.strip():
            raise UsageError(f"{_flag(name)}: an empty name or value")
        yield _values(name, piece.strip())


def _values(name: str, text: str) -> Sequence[Any]:
    """One value, or those of a range."""
    kinds = KEYWORDS[name].type.split(" | ") if name in KEYWORDS else ["str"]
    number: type[int | float] | None = int if "int" in kinds else float if "float" in kinds else None
    if number is None:
        return [text]
    if _COLONS.fullmatch(text):
        return _range(name, text, number)
    try:
        return [_number(text, number)]
    except (ValueError, OverflowError):
        if "str" in kinds:
            return [text]
        wanted = f"{'a whole number' if number is int else 'a number'} or a range such as 1:256:x2"
        raise UsageError(not_a_number(_flag(name), text, wanted)) from None


def _number(text: str, number: type[int | float]) -> int | float:
    if not re.fullmatch(_NUMBER, text, re.ASCII):
        raise ValueError(text)
    value = float(text)
    if number is float:
        return value
    if not value.is_integer():
        raise ValueError(text)
    return int(text) if re.fullmatch(r"[+-]?[0-9]+", text) else int(value)


def _range(name: str, text: str, number: type[int | float]) -> Sequence[int | float]:
    """A range with both its ends: `a:b` by ones, `a:b:+s` by steps, `a:b:xf` by factors."""
    about = f"{_flag(name)} {text[:60]}"
    found = _RANGE.fullmatch(text)
    if found is None:
        raise UsageError(f"{about}: a range is FIRST:LAST, FIRST:LAST:+STEP or FIRST:LAST:xFACTOR")
    try:
        first, last = _number(found[1], number), _number(found[2], number)
        by = _number(found[4], number if found[3] != "x" else float) if found[4] else 1
    except (ValueError, OverflowError):
        raise UsageError(f"{about}: a range of whole numbers") from None
    if last < first:
        raise UsageError(f"{about}: runs backward; write {found[2]}:{found[1]}")
    if found[3] == "x":
        return _by_factor(name, about, first, last, by)
    if by <= 0:
        raise UsageError(f"{about}: a step is above 0")
    if (last - first) / by >= MOST:
        raise _too_many(name)
    if number is int:
        return range(int(first), int(last) + 1, int(by))
    return [first + index * by for index in range(int((last - first) / by * (1 + 1e-12)) + 1)]


def _by_factor(name: str, about: str, first: float, last: float, factor: float) -> list[int | float]:
    if not factor > 1.0 or first <= 0:
        raise UsageError(f"{about}: a factor is above 1, and what it multiplies above 0")
    steps = (log(last) - log(first)) / log(factor)
    if steps >= MOST:
        raise _too_many(name)
    values = (first * factor**step for step in range(int(steps * (1 + 1e-12)) + 1))
    return list(dict.fromkeys(round(value) if isinstance(first, int) else value for value in values))


def _lines(name: str, path: str) -> list[str]:
    """The values of a file, one to a line; after a # stand remarks."""
    about = f"{_flag(name)} @{path}"
    if is_waiting_pipe(path):
        raise UsageError(f"{about}: is a pipe, which may never be written to; name a file")
    try:
        with Path(path).open("rb") as file:
            data = file.read(_LONGEST + 1)
        if len(data) > _LONGEST:
            raise UsageError(f"{about}: more than {_LONGEST // 1_000_000} MB of values")
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{about}: is no text in UTF-8 (byte {error.start})") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{about}: cannot be read ({getattr(error, 'strerror', None) or error})") from None
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    found = [line for line in lines if line]
    if not found:
        raise UsageError(f"{about}: has no values")
    if nested := next((line for line in found if line.startswith("@")), None):
        raise UsageError(f"{about}: a file names no further file ({nested[:40]})")
    return found


def _too_many(name: str) -> UsageError:
    return UsageError(f"{_flag(name)} has more than {MOST:,} values; sweep in parts")


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
