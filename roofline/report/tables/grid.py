"""Tables under a title, which leave out what does not fit rather than break names and numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from roofline.report.tables.lines import cells, cut, shown, wrap

#: Letters of the longest word that a wrapped column holds in one piece, and the least width of one of longer text.
_WORD: Final = 16
_TEXT: Final = 30


class Column(NamedTuple):
    """A column: its side, as `Grid` tells, its texts, the heading first, and widths in cells.

    Narrower than `least` it would be broken, `needed` breaks no word, and it is never wider than `widest`.
    """

    side: str
    texts: tuple[str, ...]
    least: int
    needed: int
    widest: int

    @classmethod
    def of(cls, side: str, texts: tuple[str, ...]) -> Column:
        """A column of these texts."""
        lines = [line for text in texts for line in text.split("\n")]
        longest, word = max(map(len, lines)), max(cells(word) for text in texts for word in [*text.split(), ""])
        least = min(longest, _TEXT) if side.startswith("text") else min(word, _WORD)
        least = longest if side.startswith(("right", "name")) else least
        widest = max(map(cells, lines))
        return cls(side, texts, least, max(least, word), max(least, widest))

    @property
    def wraps(self) -> bool:
        """Whether its texts are broken between words where there is no room."""
        return self.side.startswith(("left", "text"))

    @property
    def spare(self) -> bool:
        """Whether it may be left out."""
        return self.side.endswith("?")

    def cell(self, index: int, width: int) -> list[str]:
        """A text in lines of that width."""
        parts = self.texts[index].split("\n")
        lines = [line for part in parts for line in wrap(part, width)] if self.wraps else parts
        return [self._aligned(cut(line.rstrip(), width), width) for line in lines]

    def _aligned(self, line: str, width: int) -> str:
        blanks = " " * (width - cells(line))
        return blanks + line if self.side.startswith("right") else line + blanks


class Grid(NamedTuple):
    """A table under its title, a legend under it. A column is its heading and its side.

    `left` and `text` wrap at words, `text` not into a narrow column; `right` and `name` are never broken. With a `?`
    behind it a column is left out where the terminal is too narrow for all, the last one first.
    """

    title: str
    columns: tuple[Column, ...]
    legend: str = ""

    def lines(self, width: int, *, crop: bool) -> Iterator[tuple[str, str]]:
        """Lines of text and their styles; `crop`: those that cannot be made to fit into the width are cut."""
        for part in self.title.split("\n"):
            yield from ((line.rstrip(), "bold") for line in wrap(part, width))
        yield "", ""
        for line, style in self._table(width):
            yield (cut(line, width) if crop else line).rstrip(), style
        if self.legend:
            yield from ((f" {line.rstrip()}", "dim") for line in wrap(self.legend, width - 1))
        yield "", ""

    def _table(self, width: int) -> Iterator[tuple[str, str]]:
        columns = self._kept(width)
        widths = _widths(columns, width)
        for line in _row(columns, 0, widths):
            yield line, "bold"
        yield " " + "─" * (sum(widths) + 2 * len(widths) - 2), ""
        for index in range(1, len(columns[0].texts)):
            for line in _row(columns, index, widths):
                yield line, ""

    def left_out(self, width: int) -> list[str]:
        """The headings of the columns for which there is no room."""
        kept = self._kept(width)
        return [column.texts[0] for column in self.columns if column not in kept]

    def words(self, width: int) -> list[str]:
        """What of a table of that width is words: its title, headings, and what rows are called."""
        return [self.title, *(column.texts[0] for column in self._kept(width)), *self.columns[0].texts[1:]]

    def _kept(self, width: int) -> list[Column]:
        """As many of the columns as the width holds."""
        kept = list(self.columns)
        while sum(column.needed for column in kept) + 2 * len(kept) > width:
            spare = [index for index, column in enumerate(kept) if column.spare]
            if not spare:
                break
            del kept[spare[-1]]
        return kept


def grid(title: str, columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[str]]) -> Grid:
    """A table under its title; a column is its heading and its side, as `Grid` tells."""
    headings, sides = zip(*columns, strict=True)
    texts = zip(headings, *rows, strict=True)
    made = (Column.of(side, tuple(map(shown, each))) for side, each in zip(sides, texts, strict=True))
    return Grid(shown(title), tuple(made))


def _row(columns: Sequence[Column], index: int, widths: Sequence[int]) -> Iterator[str]:
    """The lines of a row: cells begin in the first of them, headings end in the last."""
    row = [column.cell(index, width) for column, width in zip(columns, widths, strict=True)]
    height = max(map(len, row))
    filled = []
    for cell, width in zip(row, widths, strict=True):
        empty = [" " * width] * (height - len(cell))
        filled.append([*cell, *empty] if index else [*empty, *cell])
    return (" " + "  ".join(line) for line in zip(*filled, strict=True))


def _widths(columns: Sequence[Column], width: int) -> list[int]:
    """The width of each column in a table of that width, or of a wider one where it cannot be narrower.

    The widest of the columns that wrap are narrowed first. A share is a column with the blank behind it, which the last
    has not.
    """
    blanks = [1] * (len(columns) - 1) + [0]
    shares = [max(1, column.widest + blank) for column, blank in zip(columns, blanks, strict=True)]
    excess = sum(shares) - (width - 1 - len(columns))
    if excess > 0:
        shares = _narrowed(shares, [column.wraps for column in columns], excess)
        excess = sum(shares) - (width - 1 - len(columns))
    if excess > 0:
        shares = _lessened(shares, [share > 0 for share in shares], excess, max(shares))
    return [max(column.least, share - blank) for column, blank, share in zip(columns, blanks, shares, strict=True)]


def _narrowed(shares: list[int], wraps: list[bool], excess: int) -> list[int]:
    """Widths less `excess`, taken from the widest that may become narrower until there is another as wide."""
    while excess > 0 and any(wraps):
        widest = max(share for share, narrows in zip(shares, wraps, strict=True) if narrows)
        second = max(share if narrows and share != widest else 0 for share, narrows in zip(shares, wraps, strict=True))
        if widest == second:
            break
        chosen = [narrows and share == widest for share, narrows in zip(shares, wraps, strict=True)]
        before = sum(shares)
        shares = _lessened(shares, chosen, excess, min(excess, widest - second))
        excess -= before - sum(shares)
    return shares


def _lessened(shares: list[int], chosen: list[bool], total: int, most: int) -> list[int]:
    """The chosen widths less `total`, in equal parts of at most `most`."""
    left, parts, result = total, sum(chosen), []
    for share, narrows in zip(shares, chosen, strict=True):
        part = min(most, share, round(left / parts)) if narrows else 0
        result.append(share - part)
        left, parts = left - part, parts - narrows
    return result
