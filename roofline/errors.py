"""What can go wrong, as one tree.

RooflineError                 anything that this package raises on purpose
├── UsageError                an option or argument is wrong
│   ├── UnknownNameError      no model, GPU, dtype or engine of that name
│   │   └── UnknownVersionError   an engine, but no version of it
│   └── UnknownPartError      an answer has no column, quantity or phase of that name
└── SpecError                 a file says something that cannot be read
    └── UnsupportedError      understood, but nothing exact can be computed from it

Every message says what was wrong and what to do; the command line prints it and exits with 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Final, NamedTuple

from roofline.visible import shortened, visible


class RooflineError(Exception):
    """Base of every error that this package raises on purpose. Its message is safe to show, whatever it quotes."""

    def __init__(self, message: str = "") -> None:
        super().__init__(shortened(visible(message)))


class UsageError(RooflineError):
    """An option or an argument is wrong. The message names it and says what is accepted."""


def nearest(name: str, known: Iterable[str], count: int = 3, meant: Mapping[str, str] | None = None) -> list[str]:
    """The `count` known names most like `name`, the most alike first; fewer where none is alike.

    Names that begin with it come first, then names that hold it, then those a slip of the pen away; case, `-`, `_`,
    `.` and the part before a `/` do not count. Where `meant` says what names stand for, it is that which is given, each
    once.
    """
    wanted = _bare(name)
    matcher = SequenceMatcher(b=wanted)
    found: dict[str, tuple[int, float]] = {}
    for item in known:
        bare = _bare(item)
        matcher.set_seq1(bare)
        alike = matcher.ratio() if matcher.real_quick_ratio() >= _WITHIN else 0.0
        rank = _rank(wanted, bare, alike)
        if rank is not None:
            shown = item if meant is None else meant[item]
            found[shown] = min(found.get(shown, (9, 0.0)), (rank, -alike))
    return sorted(found, key=found.__getitem__)[:count]


def likeness(written: str, meant: str) -> float:
    """How alike two keys are, from 0 to 1: the share of letters in common order; case and kind of sign do not count."""
    return SequenceMatcher(None, written.lower().replace("-", "_"), meant.lower()).ratio()


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A question with the nearest known name; empty where none is alike."""
    close = nearest(name, known, 1)
    return f"Did you mean {close[0]!r}?" if close else ""


#: Names that share less of their letters than this are not alike; one letter of three may be wrong.
_WITHIN: Final = 0.65


def _bare(name: str) -> str:
    return name.lower().rpartition("/")[2].translate(_JOINTS)


_JOINTS: Final = {ord(joint): None for joint in "-_. "}


def _rank(wanted: str, bare: str, alike: float) -> int | None:
    if wanted == bare:
        return 0
    if len(wanted) > 1 and bare.startswith(wanted):
        return 1
    if len(wanted) > 2 and wanted in bare:
        return 2
    return 3 if alike >= _WITHIN else None


class UnknownNameError(UsageError):
    """No such name; carries the nearest known ones and the command that lists all.

    `known` are the names, or a mapping of names and aliases to the names that they stand for.
    """

    def __init__(self, what: str, name: str, known: Iterable[str] | Mapping[str, str], listing: str) -> None:
        self.name = name
        self.nearest = nearest(name, known, meant=known if isinstance(known, Mapping) else None)
        shown = name if len(name) <= 60 else name[:57] + "..."
        hint = f" Nearest: {', '.join(self.nearest)}." if self.nearest else ""
        super().__init__(f"no {what} named {shown!r}.{hint} `{listing}` lists all.")


class UnknownVersionError(UnknownNameError):
    """An engine of which what was asked for says no version; carries those that there are."""

    def __init__(self, engine: str, asked: str, versions: Sequence[str], hint: str) -> None:
        self.name, self.nearest = f"{engine}@{asked}", list(versions)
        few = ", ".join(versions[:12]) or "none but the one"
        RooflineError.__init__(self, f"engine {engine} has no version {asked[:60]!r}. There are: {few}. {hint}")


class UnknownPartError(UsageError, AttributeError, KeyError):
    """An answer has no part of that name; also what Python expects of an attribute and of a key that is not there."""

    __str__ = Exception.__str__


class Place(NamedTuple):
    """A place in a file: path, line and column (counted from 1) and the text of that line."""

    path: str
    line: int = 0
    column: int = 0
    text: str = ""

    def __str__(self) -> str:
        path = shortened(self.path, 300)
        return f"{path}:{self.line}:{self.column}" if self.line else path

    def excerpt(self) -> str:
        """The line with a caret under the column, or nothing where no line is known."""
        if not self.line or not self.text.strip():
            return ""
        start = max(0, self.column - 60)
        text = self.text.replace("\t", " ")
        before = visible(text[start : max(self.column, 1) - 1])
        return f"\n    {visible(text[start : start + 100])}\n    {' ' * len(before)}^"


class SpecError(RooflineError):
    """A file cannot be read as a spec: where, what is wrong, what to do."""

    def __init__(self, message: str, place: Place | None = None, field: str = "", hint: str = "") -> None:
        self.place, self.field, self.hint, self.reason = place, field, hint, message
        head = f"{place}: " if place else ""
        about = f"{shortened(field, 200)}: " if field else ""
        tail = f"\n  {hint}" if hint else ""
        super().__init__(f"{head}{about}{shortened(message, 800)}{place.excerpt() if place else ''}{tail}")


class UnsupportedError(SpecError):
    """The file is well-formed, but no exact count exists for what it describes."""
