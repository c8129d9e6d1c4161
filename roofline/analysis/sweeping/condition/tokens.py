"""The words of a condition, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from roofline.errors import UsageError

#: Characters of the longest condition.
LONGEST: Final = 4_000
#: Units that a number may have behind it, in SI.
UNITS: Final = {
    "s": 1.0,
    "ms": 1e-3,
    "us": 1e-6,
    "min": 60.0,
    "h": 3600.0,
    "B": 1.0,
    "kB": 1e3,
    "MB": 1e6,
    "GB": 1e9,
    "TB": 1e12,
    "KiB": 2.0**10,
    "MiB": 2.0**20,
    "GiB": 2.0**30,
    "TiB": 2.0**40,
}
_WORD: Final = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]{1,3})?)"
    r"|(?P<name>[A-Za-z_][A-Za-z_0-9]*+)"
    r"|(?P<text>'[^']*+'|\"[^\"]*+\")"
    r"|(?P<sign><=|>=|==|!=|[-<>+*/(),]))",
    re.ASCII,
)
_WORDS: Final = ("and", "or", "not", "in", "true", "false")


class Token(NamedTuple):
    """A word: number, name, text, sign (and `and`, `or`, `not`, `in`, `true`, `false`) or end; what it says; where."""

    kind: str
    text: str
    place: int
    value: float = 0.0


def tokens(text: str) -> Iterator[Token]:
    """The words of a condition, and its end. Raises UsageError, with its place, for what is no word."""
    if len(text) > LONGEST:
        raise UsageError(f"--where has {len(text):,} characters; at most {LONGEST:,} are read")
    place, end = 0, len(text.rstrip())
    while place < end:
        found = _WORD.match(text, place)
        if found is None:
            place += len(text[place:]) - len(text[place:].lstrip())
            raise wrong(text, place, f"{text[place]!r} is no part of a condition{_meant(text[place:])}")
        kind, word, place = str(found.lastgroup), found[str(found.lastgroup)], found.end()
        if kind == "number":
            yield _number(text, word, found.start(kind), place)
            place += len(_unit(text, place))
        elif kind == "text":
            yield Token(kind, word[1:-1], found.start(kind))
        else:
            lower = word.lower()
            yield Token("sign" if lower in _WORDS else kind, lower if lower in _WORDS else word, found.start(kind))
    yield Token("end", "", end)


def _unit(text: str, place: int) -> str:
    """The unit right behind a number."""
    return re.compile(r"[A-Za-z]*").match(text, place)[0]  # type: ignore[index]


def _number(text: str, word: str, start: int, end: int) -> Token:
    unit = _unit(text, end)
    if unit and unit not in UNITS:
        raise wrong(text, end, f"{word}{unit[:20]}: a number is plain, in SI units, or has one of {', '.join(UNITS)}")
    value = float(word) * UNITS.get(unit, 1.0)
    if value == float("inf"):
        raise wrong(text, start, f"{word[:40]} is too large a number")
    return Token("number", word + unit, start, value)


def _meant(rest: str) -> str:
    meant = {"=": "==", "&": "and", "|": "or", "!": "not", "^": "and", "%": "a number such as 0.1"}.get(rest[0])
    if rest[0] in "'\"":
        return "; a text ends with the quotation mark that it begins with"
    return f"; write {meant}" if meant else ""


def wrong(text: str, place: int, what: str) -> UsageError:
    """A condition that cannot be read: what is wrong, at which character, and what stands there."""
    start = max(0, place - 20)
    around = f"{'…' if start else ''}{text[start : place + 20]}{'…' if place + 20 < len(text) else ''}"
    return UsageError(f"--where, character {place + 1}: {what} (at {around.strip()!r})")
