"""Where tables and text are printed: in lines of a given width, styled where the place can show styles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple, Protocol, TextIO, TypeAlias

from roofline.report.tables.lines import shown, wrap

#: Text in styles, a blank between their names, as a place shows it.
Paint: TypeAlias = Callable[[str, str], str]
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


class Styled(NamedTuple):
    """A piece of text in a style."""

    text: str
    style: str = ""


class Console:
    """A stream of lines of `width` cells, styled by `paint`. No line ends in blanks.

    Nothing in a text is a command: neither brackets, nor what a terminal would obey.
    """

    def __init__(self, stream: TextIO, width: int, paint: Paint = plain) -> None:
        self.stream, self.width, self.paint = stream, width, paint
        #: Words of the glossary that were explained.
        self.explained: set[str] = set()

    def print(self, content: str | list[Styled] | Block = "", *, style: str = "", crop: bool = True) -> None:
        """Print text, or pieces of it in styles beside `style`, wrapped at words; or a block such as a grid.

        `crop`: lines of a block that are wider than the console are cut.
        """
        if isinstance(content, str):
            content = [Styled(content)]
        if isinstance(content, list):
            lines = self._text([Styled(shown(text), f"{style} {own}".strip()) for text, own in content])
        else:
            lines = (self.paint(line, name) for line, name in content.lines(self.width, crop=crop))
        self.stream.write("".join(f"{line}\n" for line in lines))
        self.stream.flush()

    def _text(self, pieces: Sequence[Styled]) -> Iterator[str]:
        styles = [style for text, style in pieces for _ in text]
        start = 0
        for paragraph in "".join(text for text, _ in pieces).split("\n"):
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
