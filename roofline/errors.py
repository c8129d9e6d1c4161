"""What can go wrong, as one tree.

RooflineError                 anything that this package raises on purpose
├── UsageError                an option or argument is wrong
│   └── UnknownNameError      no model, GPU, dtype or engine of that name
└── SpecError                 a file says something that cannot be read
    └── UnsupportedError      understood, but nothing exact can be computed from it

Every message says what was wrong and what to do; the command line prints it and exits with 2.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


class RooflineError(Exception):
    """Base of every error that this package raises on purpose."""


class UsageError(RooflineError):
    """An option or an argument is wrong. The message names it and says what is accepted."""


def nearest(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """The `count` known names most like `name`, the most alike first; fewer where none is alike."""
    pool = list(dict.fromkeys(known))
    by_lower = {item.lower(): item for item in pool}
    matches = get_close_matches(name.lower(), list(by_lower), n=count, cutoff=0.4)
    return [by_lower[match] for match in matches]


class UnknownNameError(UsageError):
    """No such name; carries the nearest known ones and the command that lists all."""

    def __init__(self, what: str, name: str, known: Iterable[str], listing: str) -> None:
        self.name = name
        self.nearest = nearest(name, known)
        shown = name if len(name) <= 60 else name[:57] + "..."
        hint = f" Nearest: {', '.join(self.nearest)}." if self.nearest else ""
        super().__init__(f"no {what} named {shown!r}.{hint} `{listing}` lists all.")


@dataclass(frozen=True)
class Place:
    """A place in a file: path, line and column (counted from 1) and the text of that line."""

    path: str
    line: int = 0
    column: int = 0
    text: str = ""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}" if self.line else self.path

    def excerpt(self) -> str:
        """The line with a caret under the column, or nothing where no line is known."""
        if not self.line or not self.text.strip():
            return ""
        start = max(0, self.column - 60)
        shown = self.text[start : start + 100].replace("\t", " ")
        return f"\n    {shown}\n    {' ' * (max(self.column, 1) - 1 - start)}^"


class SpecError(RooflineError):
    """A file cannot be read as a spec: where, what is wrong, what to do."""

    def __init__(self, message: str, place: Place | None = None, field: str = "", hint: str = "") -> None:
        self.place, self.field, self.hint, self.reason = place, field, hint, message
        head = f"{place}: " if place else ""
        about = f"{field}: " if field else ""
        tail = f"\n  {hint}" if hint else ""
        super().__init__(f"{head}{about}{message}{place.excerpt() if place else ''}{tail}")


class UnsupportedError(SpecError):
    """The file is well-formed, but no exact count exists for what it describes."""
