"""Text in the cells of a terminal: how wide it is, where it breaks, what is cut."""

from __future__ import annotations

import re
from typing import Final

from roofline.visible import visible

_WORD: Final = re.compile(r"\s*\S+\s*")
#: Before this character every printed one takes one cell.
_FIRST_ODD: Final = "\u0300"


def shown(text: str) -> str:
    """The text with escapes for characters that a terminal obeys, and with blanks for tabs."""
    return text if text.isprintable() else visible(text).expandtabs()


def cells(text: str) -> int:
    """How many cells of a terminal a line takes: two for a wide character, none for one that joins the one before."""
    if text.isascii() or max(text) < _FIRST_ODD:
        return len(text)
    return sum(map(_cells_of, text))


def _cells_of(character: str) -> int:
    from unicodedata import category, east_asian_width

    if category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most `width` cells, broken between words; a word that is longer is broken where the line ends.

    The lines joined are the text: blanks stay where they were, at the ends of lines.
    """
    lines: list[str] = []
    line = ""
    for word in _WORD.findall(text):
        needed = cells(word.rstrip())
        if needed <= width - cells(line):
            line += word
            continue
        if line:
            lines.append(line)
        *full, line = _pieces(word, width) if needed > width else [word]
        lines += full
    return [*lines, line] if line else [text]


def _pieces(word: str, width: int) -> list[str]:
    """A word in pieces of at most `width` cells, or of one character where not even that fits."""
    pieces = [""]
    for character in word:
        if pieces[-1] and cells(pieces[-1]) + cells(character) > width:
            pieces.append("")
        pieces[-1] += character
    return pieces


def cut(text: str, width: int) -> str:
    """The beginning of a line that fits into `width` cells."""
    return text if cells(text) <= width else _pieces(text, width)[0]
