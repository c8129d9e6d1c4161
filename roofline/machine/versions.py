"""Versions of an engine by what people write of them: a number, a build, a month or a year.

A version of which no run was at hand takes the coefficients of the nearest earlier one, and a wider interval.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

#: What stands for the newest version.
NEWEST: Final = frozenset(("latest", "newest"))
#: Half of an 80 % interval, in logarithms, of what the version of an engine alone makes of a time. The same condition
#: on another version of a server differs by 11 % in the median and 50 % at the 90th percentile (108 pairs of published
#: runs); with logarithms of these differences spread normally the 80th percentile is exp(0.254) - 1 = 29 %.
VERSIONS_APART: Final = 0.254
_DATE: Final = re.compile(r"((?:19|20)\d\d)(?:-(0[1-9]|1[0-2])(?:-\d\d)?)?", re.ASCII)
_NUMBER: Final = re.compile(r"[vb]?(\d{1,9}(?:\.\d{1,9}){0,5})(?:[.+-]?[a-z][a-z0-9.+-]*)?", re.ASCII)
_NUMBERS: Final = re.compile(r"(?<![\w.-])[vb]?(\d{1,9}(?:\.\d{1,9}){0,5})(?!\d|-\d)", re.ASCII)
_YEAR: Final = re.compile(r"(?:19|20)\d\d", re.ASCII)
_EVER: Final = 12 * 9999

Numbers = tuple[int, ...]


class Version(NamedTuple):
    """A version of an engine: the name or file that has it, its text, and the months between which it was current."""

    engine: str
    text: str | None = None
    since: str | None = None
    until: str | None = None

    @property
    def numbers(self) -> tuple[Numbers, Numbers] | None:
        """The lowest and the highest number that its text names; None where it names none."""
        found = [
            tuple(map(int, number.split(".")))
            for number in _NUMBERS.findall(self.text or "")
            if not _YEAR.fullmatch(number)
        ]
        return (min(found), max(found)) if found else None

    @property
    def months(self) -> tuple[int, int] | None:
        """The first and the last month in which it was current; None where no date is known."""
        if self.since is None:
            return None
        return _span(self.since)[0], _span(self.until)[1] if self.until else _EVER

    def told(self, name: str) -> str:
        """As an answer names it: the version where there is one, and when it was current."""
        return f"{name} ({self.text})" if self.text else name


class Chosen(NamedTuple):
    """The version that stands for one that was asked for, and whether that is one of its own."""

    version: Version
    own: bool


def choose(versions: Sequence[Version], asked: str) -> Chosen | None:
    """The version that stands for what was asked, of `versions` with the newest first; None for what says nothing.

    A number stands for the newest version that holds it (`0.8.3` is of `0.6 to 0.8`), else for the nearest earlier
    one, else for the oldest; a month or a year for the one that was current longest within it.
    """
    text = asked.strip().lower()
    if text in NEWEST:
        return Chosen(versions[0], own=True)
    labelled = next((each for each in versions if each.engine.lower().removesuffix(".yaml").endswith(f"@{text}")), None)
    if labelled is not None:
        return Chosen(labelled, own=True)
    if _DATE.fullmatch(text):
        return _by_date(versions, _span(text))
    number = _NUMBER.fullmatch(text)
    return _by_number(versions, tuple(map(int, number[1].split(".")))) if number else None


def _by_date(versions: Sequence[Version], span: tuple[int, int]) -> Chosen | None:
    dated = [(each, each.months) for each in versions]
    known = [(each, months) for each, months in dated if months is not None]
    shared = [min(months[1], span[1]) - max(months[0], span[0]) for _, months in known]
    if not known:
        return None
    if max(shared) >= 0:
        return Chosen(known[shared.index(max(shared))][0], own=True)
    earlier = [(months[0], -place) for place, (_, months) in enumerate(known) if months[0] <= span[1]]
    place = -max(earlier)[1] if earlier else min(range(len(known)), key=lambda i: known[i][1][0])
    return Chosen(known[place][0], own=False)


def _by_number(versions: Sequence[Version], asked: Numbers) -> Chosen | None:
    known = [(each, numbers) for each in versions if (numbers := each.numbers) is not None]
    for each, (low, high) in known:
        if _cut(low, asked) <= _cut(asked, low) and _cut(asked, high) <= _cut(high, asked):
            return Chosen(each, own=True)
    if not known:
        return None
    earlier = [(low, -place) for place, (_, (low, _)) in enumerate(known) if low <= asked]
    place = -max(earlier)[1] if earlier else min(range(len(known)), key=lambda i: known[i][1][0])
    return Chosen(known[place][0], own=False)


def _cut(numbers: Numbers, other: Numbers) -> Numbers:
    """As many parts of a version as another has: 0.8.3 is of 0.8."""
    return numbers[: len(other)]


def _span(text: str) -> tuple[int, int]:
    """The first and last month, counted from year 0, of a month or a year."""
    match = _DATE.fullmatch(text)
    assert match is not None, text
    year = 12 * int(match[1])
    return (year, year + 11) if match[2] is None else (year + int(match[2]) - 1,) * 2


def in_order(versions: Iterable[Version]) -> list[Version]:
    """The newest first: by the month since which each is current, then by number."""

    def age(version: Version) -> tuple[int, Numbers]:
        months, numbers = version.months, version.numbers
        return months[0] if months else -1, numbers[1] if numbers else ()

    return sorted(versions, key=age, reverse=True)


def widened(interval: Any) -> Any:
    """The intervals of an engine, of which only other versions were measured: each pair of ends in whatever holds them.

    Errors of the engine and of its version are taken as independent: half widths add in quadrature.
    """
    if isinstance(interval, dict):
        return {name: widened(value) for name, value in interval.items()}
    low, high = interval
    return _further(low, -1.0), _further(high, 1.0)


def _further(end: float, sign: float) -> float:
    return float(f"{math.exp(sign * math.hypot(math.log(end), VERSIONS_APART)):.3g}")
