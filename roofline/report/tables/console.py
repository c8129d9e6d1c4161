"""Where tables and text are printed: in lines of a given width, styled where the place can show styles."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Final, Protocol, TextIO, TypeAlias

from roofline.report.tables.lines import shown, wrap

#: Text in styles, a blank between their names, as a place shows it.
Paint: TypeAlias = Callable[[str, str], str]
_TAG: Final = re.compile(r"\[(/?)(bold|dim|yellow|red)\]")
_CODES: Final = {"bold": "1", "dim": "2", "red": "31", "yellow": "33"}
_COLOURS: Final = ("red", "yellow")


class Block(Protocol):
    """What lays out its own lines, each with its style."""

    def lines(self, width: int, *, crop: bool) -> Iterable[tuple[str, str]]:
        """Lines of text and their styles; `crop`: those that cannot be made to fit into the width are cut."""


def plain(text: str, style: str) -> str:
    """No style: for a file, or a terminal that knows none."""
    return text


def ansi(text: str, style: str) -> str:
    """Styles as escape codes of a terminal."""
    codes = ";".join(_CODES[name] for name in style.split())
    return f"\033[{codes}m{text}\033[0m" if codes and text else text


def colourless(text: str, style: str) -> str:
    """As escape codes, but for colours."""
    return ansi(text, " ".join(name for name in style.split() if name not in _COLOURS))


class Console:
    """A stream of lines of `width` cells, styled by `paint`. No line ends in blanks."""

    def __init__(self, stream: TextIO, width: int, paint: Paint = plain) -> None:
        self.stream, self.width, self.paint = stream, width, paint

    def print(
        self,
        content: str | Block = "",
        *,
        style: str = "",
        markup: bool = True,
        crop: bool = True,
    ) -> None:
        """Print text, wrapped at words, or a block such as a grid.

        With `markup`, `[bold]`, `[dim]`, `[yellow]` and `[red]` in a text begin a style, which `[/bold]` and so on end.
        `crop`: lines of a block that are wider than the console are cut.
        """
        if isinstance(content, str):
            lines = self._text(content, style, markup)
        else:
            lines = (self.paint(line, name) for line, name in content.lines(self.width, crop=crop))
        self.stream.write("".join(f"{line}\n" for line in lines))
        self.stream.flush()

    def _text(self, text: str, style: str, markup: bool) -> Iterator[str]:
        pieces = list(_pieces(shown(text), style)) if markup else [(shown(text), style)]
        styles = [name for piece, name in pieces for _ in piece]
        start = 0
        for paragraph in "".join(piece for piece, _ in pieces).split("\n"):
            for line in wrap(paragraph, self.width):
                yield self._painted(line.rstrip(" "), styles[start : start + len(line)])
                start += len(line)
            start += 1

    def _painted(self, line: str, styles: list[str]) -> str:
        """A line, each of its characters in its style."""
        if self.paint is plain:
            return line
        runs = groupby(zip(line, styles, strict=False), key=itemgetter(1))
        return "".join(self.paint("".join(character for character, _ in run), style) for style, run in runs)


def _pieces(text: str, style: str) -> Iterator[tuple[str, str]]:
    """The pieces of a text between its tags, and the styles of each."""
    begun: list[str] = []
    first, *rest = _TAG.split(text)
    yield first, style
    for end, name, piece in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
        if not end:
            begun.append(name)
        elif name in begun:
            begun.remove(name)
        yield piece, " ".join([style, *begun])
